package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// A token says nothing about another credential than its own, even where that one
// cannot log in at the moment.
func TestTokenOfAnotherCredential(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		secretFile := r.file("secret", apiSecret)
		l := r.keyring.Login(r.optionsOf("api_key: "+key+", api_secret_file: "+secretFile), nil)
		r.probe(l)
		r.accept(key, apiSecret+"-new")
		r.file("secret", apiSecret+"-new")
		r.onLogin = always(hmp.AuthUnavailable)
		got := words(r.scrapeEvery(l, time.Second, 4*time.Second))
		r.onLogin = nil
		advance(time.Minute)
		got = append(got, word(r.probe(l)))
		want := []string{"auth_unavailable login", "auth_unavailable held ×3", "valid login"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the probes (-want +got):\n%s", diff)
		}
	})
}

// Logins are not suspended for a credential that has a token, whatever another one
// came to meanwhile.
func TestSuspensionEndsWithItsCredential(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		secretFile := r.file("secret", canary.Word+"-wrong")
		l := r.keyring.Login(r.optionsOf("api_key: "+key+", api_secret_file: "+secretFile), nil)
		type state struct {
			Probe     string
			Suspended bool
		}
		var got []state
		for _, s := range []string{canary.Word + "-wrong", apiSecret, canary.Word + "-wrong", apiSecret} {
			r.file("secret", s)
			got = append(got, state{word(r.probe(l)), suspended(l)})
		}
		want := []state{{"login_rejected login", true}, {"valid login", false}, {"login_rejected held", true}, {"valid", false}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wrong, right, wrong, right (-want +got):\n%s", diff)
		}
	})
}

// A lifetime that a reload changes counts for the token at hand.
func TestLifetimeChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		advance(4 * time.Minute)
		o := l.options
		o.Lifetime = 5 * time.Minute
		shorter := r.keyring.Login(o, l)
		if s, _ := shorter.Status(); time.Until(s.TokenExpiry) != time.Minute {
			t.Errorf("the token ends in %v, want a minute", time.Until(s.TokenExpiry))
		}
		advance(time.Minute)
		if got := word(r.probe(shorter)); got != "valid login" {
			t.Errorf("at the end of the shorter lifetime: %s", got)
		}
	})
}

// Tokens that sessions left behind can be dead: the first one is found out, and
// then there is a login.
func TestDeadSpares(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		gone := []*Login{r.login(key, apiSecret), r.login(key, apiSecret), r.login(key, apiSecret)}
		for _, l := range gone {
			r.probe(l)
		}
		for _, l := range gone {
			r.keyring.Retire(l)
		}
		r.restart()
		if got := word(r.probe(r.login(key, apiSecret))); got != "valid login" {
			t.Errorf("the probe of a new session: %s", got)
		}
	})
}

// A probe that is still under way when its session goes takes nothing away from
// the next one.
func TestRetiredTakesNoSpare(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		gone := r.login(key, apiSecret)
		r.probe(gone)
		r.keyring.Retire(gone)
		late := r.login(key, apiSecret)
		r.keyring.Retire(late)
		got := []string{word(r.probe(late)), word(r.probe(r.login(key, apiSecret)))}
		if diff := cmp.Diff([]string{"valid", "valid"}, got); diff != "" {
			t.Errorf("the one that goes, and the next one (-want +got):\n%s", diff)
		}
	})
}
