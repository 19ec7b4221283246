package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

// begin probes in the background, and returns once all is under way. What it
// returns waits for the report.
func (r *rig) begin(s Source) (report func() Report) {
	reports := make(chan Report, 1)
	go func() { reports <- r.probe(s) }()
	synctest.Wait()
	return func() Report { return <-reports }
}

// slowly makes the next GET take longer, and decides it right away.
func (r *rig) slowly(d time.Duration, s Source) (report func() Report) {
	set := func(d time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.getTime = d
	}
	set(d)
	defer set(0)
	return r.begin(s)
}

// An answer that is late is about a token that has had a successor.
func TestLateRejection(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.scrape(l, 5*time.Minute)
		r.restart()
		late := r.slowly(5*time.Second, l)
		if w := word(r.probe(l)); w != "valid login" {
			t.Fatalf("the probe that was faster came to %s", w)
		}
		r.sent()
		if diff := cmp.Diff("valid", word(late())); diff != "" {
			t.Errorf("the late probe (-want +got):\n%s", diff)
		}
		r.probe(l)
		calls := r.sent()
		if diff := cmp.Diff("GET unauthorized, GET valid, GET valid", path(calls)); diff != "" {
			t.Errorf("sent from then on (-want +got):\n%s", diff)
		}
		for _, c := range calls[1:] {
			if diff := cmp.Diff(r.live(), []string{c.token}); diff != "" {
				t.Errorf("the token (-want +got):\n%s", diff)
			}
		}
	})
}

// Three rejections of one token are one, and no reason to hold back.
func TestLateRejectionsOfOneToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		r.restart()
		late := []func() Report{r.slowly(time.Second, l), r.slowly(2*time.Second, l), r.slowly(3*time.Second, l), r.slowly(4*time.Second, l)}
		logins := 0
		for _, report := range late {
			rep := report()
			if rep.Result != hmp.Valid {
				t.Errorf("a probe came to %s", word(rep))
			}
			if rep.Login != "" {
				logins++
			}
		}
		if logins != 1 || suspended(l) {
			t.Errorf("%d logins, suspended: %v", logins, suspended(l))
		}
	})
}

func TestLateRotation(t *testing.T) {
	for _, test := range []struct {
		name    string
		between func(*rig, *Login)
	}{
		{"after another one", func(r *rig, l *Login) { r.probe(l) }},
		{"after a login", func(r *rig, l *Login) {
			r.restart()
			r.rotating = false
			r.probe(l)
			r.rotating = true
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				r.rotating = true
				late := r.slowly(5*time.Second, l)
				test.between(r, l)
				want := l.holder.current()
				if w := word(late()); w != "valid" {
					t.Errorf("the late probe came to %s", w)
				}
				r.sent()
				r.probe(l)
				if diff := cmp.Diff(want.value.Reveal(), r.sent()[0].token); diff != "" {
					t.Errorf("the token of the next probe (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A login that takes its time can be about a key that has been replaced.
func TestLateLogin(t *testing.T) {
	const newKey = key + "-new"
	for _, o := range []hmp.Result{hmp.Valid, hmp.LoginRejected, hmp.NoRoles, hmp.AuthUnavailable, hmp.BadPayload} {
		t.Run(string(o), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.accept(newKey, apiSecret)
				file := r.file("key", key)
				l := r.keyring.Login(r.optionsOf("api_key_file: "+file+", api_secret: "+apiSecret), nil)
				r.onLogin = func(c call) hmp.Answer {
					if c.key == newKey {
						return hmp.Answer{}
					}
					advance(5 * time.Second)
					if o == hmp.Valid {
						return hmp.Answer{}
					}
					return answerOf(o)
				}
				late := r.begin(l)
				r.file("key", newKey)
				advance(time.Second)
				if w := word(r.probe(l)); w != "valid login" {
					t.Fatalf("the login with the new key came to %s", w)
				}
				want := l.holder.current()
				if got := late().Result; got != o {
					t.Errorf("the late probe came to %s, want %s", got, o)
				}
				if suspended(l) {
					t.Error("suspended for the key that was replaced")
				}
				r.sent()
				if w := word(r.probe(l)); w != "valid" {
					t.Errorf("the next probe came to %s", w)
				}
				if diff := cmp.Diff(want.value.Reveal(), r.sent()[0].token); diff != "" {
					t.Errorf("its token (-want +got):\n%s", diff)
				}
			})
		})
	}
}
