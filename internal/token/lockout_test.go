package token

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// A refused secret is tried again at most once in half an hour. One login of the hour is left
// for a changed secret, which is tried at once.
func TestRefusedSecretLeavesALoginToAChangedOne(t *testing.T) {
	for minute := 0; minute < 70; minute += 5 {
		for secrets := 1; secrets <= 3; secrets++ {
			inBubble(t, func(t *testing.T, r *rig) {
				for range time.Duration(minute)*time.Minute/interval + 1 {
					for i := range secrets {
						if report := r.probe(withWrong(i)); report.Result != hmp.LoginRejected || !report.Status.Suspended {
							t.Fatalf("a probe ended in %s, suspended: %v", brief(report), report.Status.Suspended)
						}
					}
					advance(interval)
				}
				if n := len(r.logins()); n > secrets*(1+minute/30) {
					t.Errorf("%d logins with %d refused secrets in %d minutes", n, secrets, minute)
				}
				got := r.probe(with(key, apiSecret))
				check(t, "the right secret", "valid login", brief(got))
				check(t, "suspended", false, got.Status.Suspended)
			})
		}
	}
}

// A secret that HMP accepted before is tried once even if HMP refused five others.
func TestAcceptedSecretIsTriedFirst(t *testing.T) {
	for _, test := range []struct{ now, want, next string }{
		{apiSecret, "valid login", "valid"},
		{wrong + "-new", "login_rejected login", "login_rejected skipped"},
	} {
		inBubble(t, func(t *testing.T, r *rig) {
			r.extraRefused = 1
			accepted, unknown := with(key, apiSecret), with(key, apiSecret+"-unknown")
			r.probe(accepted)
			r.accept(key, test.now)
			advance(5 * time.Hour)
			for i := range 7 {
				r.probe(withWrong(i))
			}
			check(t, "one that was never tried", "login_rejected skipped", brief(r.probe(unknown)))
			check(t, "one that was accepted", test.want, brief(r.probe(accepted)))
			check(t, "again", test.next, brief(r.probe(accepted)))
		})
	}
}

// HMP sees at most five wrong secrets of a key in an hour, and as many if there are enough.
// The end of each test checks the maximum.
func TestRefusedLoginsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for n := range int(26 * time.Hour / interval) {
			for i, changes := range []int{1 << 20, 1 << 20, 14, 21} { // after so many probes
				if report := r.probe(with(key, fmt.Sprintf("%s-%d-%d", wrong, i, n/changes))); report.Result != hmp.LoginRejected {
					t.Errorf("a probe ended in %s", brief(report))
				}
			}
			advance(interval)
		}
		if n := len(r.logins()); n < 26*5-5 || n > 26*5 {
			t.Errorf("%d refused logins in 26 hours", n)
		}
	})
}

// A login of a user without roles is repeated every minute. It does not count as refused.
func TestNoRolesIsRepeatedEveryMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.onLogin = always(hmp.NoRoles)
		c := with(key, apiSecret)
		for _, report := range r.scrape(c, time.Second, time.Hour) {
			if report.Result != hmp.NoRoles || !report.Status.Suspended {
				t.Fatalf("a probe ended in %s, suspended: %v", brief(report), report.Status.Suspended)
			}
		}
		checkPauses(t, r.logins(), time.Minute, time.Minute, time.Minute)
		r.onLogin = nil
		check(t, "another secret", "login_rejected login", brief(r.probe(withWrong(1))))
		advance(time.Minute)
		check(t, "after a role was given", "valid login", brief(r.probe(c)))
		check(t, "suspended", false, r.probe(c).Status.Suspended)
	})
}

// The next login comes at the time in the reason, and no earlier.
func TestReasonSaysWhenTheNextLoginComes(t *testing.T) {
	const (
		button = `press "Try the login now" on the session's page.`
		change = ". For an earlier login, change the secret, or " + button
		wait   = ". For an earlier login, " + button
	)
	refusal := answerOf(hmp.LoginRejected)
	refusal.Reason = "something else than HMP may have answered"
	for _, test := range []struct {
		name   string
		before int // refused logins with other secrets
		answer hmp.Answer
		want   string
	}{
		{"refused", 0, answerOf(hmp.LoginRejected), "the exporter tries this secret again at TIME" + change},
		{"with more to say", 0, refusal, "something else than HMP may have answered; the exporter tries this secret again at TIME" + change},
		{"no roles", 0, answerOf(hmp.NoRoles), "the exporter tries this secret again at TIME" + wait},
		{"the last login of the hour", 4, answerOf(hmp.LoginRejected), "HMP refused 5 logins of this key within an hour; the exporter tries this secret again at TIME, and a new secret at TIME" + wait},
		{"no login left", 5, answerOf(hmp.LoginRejected), "HMP refused 5 logins of this key within an hour; the exporter tries this secret at TIME" + wait},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				for i := range test.before {
					r.probe(withWrong(i))
					advance(time.Minute)
				}
				r.onLogin = func(call) hmp.Answer { return test.answer }
				c := with(key, apiSecret)
				first := r.probe(c)
				check(t, "the reason", test.want, clockTime.ReplaceAllString(first.Reason, "at TIME"))
				advance(untilNextLogin(t, first.Reason) - 2*time.Second)
				got := r.probe(c)
				want := Report{Answer: hmp.Answer{Result: test.answer.Result, Code: test.answer.Code, Reason: got.Reason}, Skipped: true, Status: Status{Suspended: true}}
				check(t, "just before", want, got)
				check(t, "the time in the reason", 2*time.Second, untilNextLogin(t, got.Reason))
				advance(3 * time.Second)
				r.onLogin = nil
				check(t, "just after", "valid login", brief(r.probe(c)))
			})
		})
	}
}

// An operator asks for a login after a refused renewal, while HMP accepts the token and replaces it.
func TestRetryLoginWithALivingToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.rotates = true
		r.probe(c)
		r.rotates = false
		advance(29 * time.Minute)
		r.rotates, r.onLogin = true, always(hmp.LoginRejected)
		check(t, "after the refusal", true, r.probe(c).Status.Suspended)
		r.onLogin = nil
		if err := r.manager.RetryLogin(c); err != nil {
			t.Fatal(err)
		}
		got := r.probe(c)
		check(t, "the next probe", "valid login", brief(got))
		check(t, "suspended", false, got.Status.Suspended)
	})
}

// An operator can ask for a login at once, whatever delays it, once a minute for a key.
func TestRetryLogin(t *testing.T) {
	for name, block := range map[string]func(*rig) Credential{
		"refused": func(r *rig) Credential {
			r.probe(withWrong(0))
			r.accept(key, wrong+"-0")
			return withWrong(0)
		},
		"no login left": func(r *rig) Credential {
			for i := range 5 {
				r.probe(withWrong(i))
			}
			return with(key, apiSecret)
		},
		"back-off": func(r *rig) Credential {
			r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.HTTPError, RetryAfter: time.Hour} }
			r.probe(with(key, apiSecret))
			return with(key, apiSecret)
		},
		"rate limit": func(r *rig) Credential {
			r.onSession = always(hmp.Unauthorized)
			r.scrape(with(key, apiSecret), interval, time.Minute)
			return with(key, apiSecret)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				retry := func(c Credential, want error) {
					if err := r.manager.RetryLogin(c); !errors.Is(err, want) {
						t.Errorf("RetryLogin: %v, want %v", err, want)
					}
				}
				c := block(r)
				r.onLogin, r.onSession = nil, nil
				check(t, "before", true, r.probe(c).Skipped)
				retry(c, nil)
				retry(withWrong(9), ErrRetryTooSoon)
				r.request.MayLogin = false
				check(t, "a probe with too little time", true, r.probe(c).Skipped)
				r.request.MayLogin = true
				got := r.probe(c)
				check(t, "the next probe", "valid login", brief(got))
				check(t, "suspended", false, got.Status.Suspended)
				advance(time.Minute)
				retry(c, nil)
				check(t, "with a token that needs no login", []string{"valid", "valid"}, []string{brief(r.probe(c)), brief(r.probe(c))})
			})
		})
	}
}
