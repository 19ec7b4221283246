package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

// A corrected secret is tried at once, whenever it comes.
func TestCorrectedSecret(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const wrong = canary.Word + "-wrong"
		for minute := range 70 {
			begun := time.Now()
			k := fmt.Sprintf("%s-%d", key, minute)
			r.accept(k, apiSecret)
			file := r.file("secret", wrong)
			l := r.keyring.Login(r.optionsOf("api_key: "+k+", api_secret_file: "+file), nil)
			r.scrape(l, time.Duration(minute)*time.Minute+time.Second)
			r.file("secret", apiSecret)
			if w := word(r.probe(l)); w != "valid login" || suspended(l) {
				t.Errorf("corrected after %v, the first probe came to %s, suspended: %v", time.Since(begun), w, suspended(l))
			}
		}
	})
}

// A hold is on a secret of a key, whoever has it.
func TestHoldIsOnSecret(t *testing.T) {
	const wrong, other = canary.Word + "-wrong", key + "-other"
	for _, test := range []struct {
		name   string
		change func(*rig, *Login) *Login
		want   string
		status bool
	}{
		{"nothing changes", func(_ *rig, l *Login) *Login { return l }, "login_rejected held", true},
		{"reload", func(r *rig, l *Login) *Login { return r.keyring.Login(l.options, l) }, "login_rejected held", true},
		{"reload that reads the same anew", func(r *rig, l *Login) *Login { return r.keyring.Login(r.options(key, wrong), l) }, "login_rejected held", true},
		{"renamed session", func(r *rig, l *Login) *Login {
			r.keyring.Retire(l)
			r.keyring.Tidy()
			return r.login(key, wrong)
		}, "login_rejected held", true},
		{"another session", func(r *rig, _ *Login) *Login { return r.login(key, wrong) }, "login_rejected held", true},
		{"another session with the right apiSecret", func(r *rig, _ *Login) *Login { return r.login(key, apiSecret) }, "valid login", false},
		{"another apiSecret", func(r *rig, l *Login) *Login { return r.keyring.Login(r.options(key, apiSecret), l) }, "valid login", false},
		{"another key", func(r *rig, l *Login) *Login { return r.keyring.Login(r.options(other, wrong), l) }, "valid login", false},
		{"another HMP", func(r *rig, l *Login) *Login {
			o := l.options
			o.HMP = "http://other.example:80"
			r.accept(key, wrong)
			return r.keyring.Login(o, l)
		}, "valid login", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.accept(other, wrong)
				l := r.login(key, wrong)
				r.scrape(l, 7*time.Minute)
				l = test.change(r, l)
				if diff := cmp.Diff(test.want, word(r.probe(l))); diff != "" {
					t.Errorf("the probe after (-want +got):\n%s", diff)
				}
				if got := suspended(l); got != test.status {
					t.Errorf("suspended: %v, want %v", got, test.status)
				}
			})
		})
	}
}

// A secret that was right is refused at its renewal.
func TestRenewalRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		r.accept(key, canary.Word+"-new")
		advance(27 * time.Minute)
		if w := word(r.probe(l)); w != "login_rejected login" {
			t.Errorf("the renewing probe came to %s", w)
		}
		status, _ := l.Status()
		if diff := cmp.Diff(Status{Suspended: true}, status); diff != "" {
			t.Errorf("Status (-want +got):\n%s", diff)
		}
		if w := word(r.probe(l)); w != "login_rejected held" {
			t.Errorf("a probe came to %s", w)
		}
	})
}
