package token

import (
	"fmt"
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// The same secret is repeated at most once within half an hour, and all secrets leave one
// login to a changed one, which is tried at once.
func TestRefusedSecretLeavesTheBudgetToOthers(t *testing.T) {
	for minute := 0; minute < 70; minute += 5 {
		for secrets := 1; secrets <= 3; secrets++ {
			inBubble(t, func(t *testing.T, r *rig) {
				for range time.Duration(minute)*time.Minute/interval + 1 {
					for i := range secrets {
						if report := r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i))); report.Result != hmp.LoginRejected || !report.Status.Suspended {
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

// A secret that HMP accepted before is tried at once even when the budget is used up, and once.
func TestAcceptedSecretIsTriedFirst(t *testing.T) {
	for name, want := range map[string]string{apiSecret: "valid login", wrong + "-new": "login_rejected login"} {
		t.Run(want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.extra = 1
				before, fresh := with(key, apiSecret), with(key, apiSecret+"-fresh")
				r.probe(before)
				r.accept(key, name)
				advance(5 * time.Hour)
				for i := range 7 {
					r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i)))
				}
				check(t, "one that was never tried", "login_rejected held", brief(r.probe(fresh)))
				check(t, "one that was", want, brief(r.probe(before)))
				next := map[string]string{"valid login": "valid", "login_rejected login": "login_rejected held"}[want]
				check(t, "again", next, brief(r.probe(before)))
			})
		})
	}
}

// Whatever goes wrong at once, an account sees no more than five wrong secrets in an
// hour, and as many if there are enough. That this is so is checked when a test ends.
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

// A login of a user without roles is repeated every minute, and takes nothing from the budget.
func TestNoRolesIsRepeatedEveryMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.onLogin = always(hmp.NoRoles)
		c := with(key, apiSecret)
		for _, report := range r.scrapeEvery(c, time.Second, time.Hour) {
			if report.Result != hmp.NoRoles || !report.Status.Suspended {
				t.Fatalf("a probe ended in %s, suspended: %v", brief(report), report.Status.Suspended)
			}
		}
		checkPauses(t, r.logins(), time.Minute, time.Minute, time.Minute)
		r.onLogin = nil
		check(t, "another secret", "login_rejected login", brief(r.probe(with(key, wrong))))
		advance(time.Minute)
		check(t, "after a role was given", "valid login", brief(r.probe(c)))
		check(t, "suspended", false, r.probe(c).Status.Suspended)
	})
}

// The reason of a hold is true: the next login comes when it says, and no earlier. What
// it says of a changed secret is so.
func TestReasonsAreTrue(t *testing.T) {
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
		{"no roles", 0, answerOf(hmp.NoRoles), "the exporter tries this secret again at TIME" + change},
		{"the last of the budget", 4, answerOf(hmp.LoginRejected), "HMP refused 5 logins of this key within an hour; the exporter tries this secret again at TIME, and a new secret at TIME" + wait},
		{"beyond the budget", 5, answerOf(hmp.LoginRejected), "HMP refused 5 logins of this key within an hour; the exporter tries this secret at TIME" + wait},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				for i := range test.before {
					r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i)))
					advance(time.Minute)
				}
				r.onLogin = func(call) hmp.Answer { return test.answer }
				c := with(key, apiSecret)
				first := r.probe(c)
				check(t, "the reason", test.want, clockTime.ReplaceAllString(first.Reason, "at TIME"))
				advance(promised(t, first.Reason) - 2*time.Second)
				got := r.probe(c)
				want := Report{Answer: hmp.Answer{Result: test.answer.Result, Code: test.answer.Code, Reason: got.Reason}, Skipped: true, Status: Status{Suspended: true}}
				check(t, "just before", want, got)
				check(t, "the time in the reason", 2*time.Second, promised(t, got.Reason))
				advance(3 * time.Second)
				r.onLogin = nil
				check(t, "when the login was promised", "valid login", brief(r.probe(c)))
			})
		})
	}
}

// An operator can have the login tried at once, whatever holds it back, once a minute for a key.
func TestRetryLogin(t *testing.T) {
	for _, test := range []struct {
		name string
		hold func(*rig) Credential
	}{
		{"refused", func(r *rig) Credential {
			r.probe(with(key, wrong))
			r.accept(key, wrong)
			return with(key, wrong)
		}},
		{"budget", func(r *rig) Credential {
			for i := range 5 {
				r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i)))
			}
			return with(key, apiSecret)
		}},
		{"back-off", func(r *rig) Credential {
			r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.HTTPError, RetryAfter: time.Hour} }
			r.probe(with(key, apiSecret))
			return with(key, apiSecret)
		}},
		{"pace", func(r *rig) Credential {
			r.onSession = always(hmp.Unauthorized)
			r.scrape(with(key, apiSecret), time.Minute)
			return with(key, apiSecret)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := test.hold(r)
				r.onLogin, r.onSession = nil, nil
				check(t, "before", true, r.probe(c).Skipped)
				r.retry(c, nil)
				r.retry(with(key, wrong+"-other"), ErrRetryTooSoon)
				r.request.MayLogin = false
				check(t, "a probe with too little time", true, r.probe(c).Skipped)
				r.request.MayLogin = true
				got := r.probe(c)
				check(t, "the next probe", "valid login", brief(got))
				check(t, "suspended", false, got.Status.Suspended)
				advance(time.Minute)
				r.retry(c, nil)
				check(t, "with a token that needs no login", []string{"valid", "valid"}, []string{brief(r.probe(c)), brief(r.probe(c))})
			})
		})
	}
}
