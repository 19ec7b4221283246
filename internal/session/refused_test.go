package session

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// checkPauses checks how long logins were held back, where there was a probe every
// second. A tenth more is allowed, and nothing less.
func checkPauses(t *testing.T, calls []call, pauses ...time.Duration) {
	t.Helper()
	got := gaps(calls)
	if len(got) < len(pauses) {
		t.Fatalf("%d logins, want %d", len(got)+1, len(pauses)+1)
	}
	for i, pause := range pauses {
		if got[i] < pause || got[i] >= pause+pause/10+time.Second {
			t.Errorf("pause %d is %v, want %v and up to a tenth more", i+1, got[i], pause)
		}
	}
}

func TestWrongSecretPauses(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.scrapeEvery(r.login(key, canary.Word+"-wrong"), time.Second, 5*time.Hour)
		calls := r.logins()
		checkPauses(t, calls, 2*time.Minute, 4*time.Minute, 8*time.Minute)
		if d := calls[4].at.Sub(calls[0].at); d < time.Hour || d > time.Hour+time.Second {
			t.Errorf("the fifth login with the same apiSecret is %v after the first", d)
		}
		checkPauses(t, calls[4:], 30*time.Minute, 30*time.Minute, 30*time.Minute, 30*time.Minute, 30*time.Minute, 30*time.Minute)
	})
}

func TestNoRolesPauses(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.onLogin = always(hmp.NoRoles)
		l := r.login(key, apiSecret)
		for _, report := range r.scrapeEvery(l, time.Second, time.Hour) {
			if report.Result != hmp.NoRoles || !suspended(l) {
				t.Fatalf("a probe came to %s, suspended: %v", word(report), suspended(l))
			}
		}
		checkPauses(t, r.logins(), 30*time.Second, time.Minute, 2*time.Minute, 4*time.Minute, 5*time.Minute, 5*time.Minute)
		r.onLogin = nil
		if w := words(r.scrape(l, 6*time.Minute)); len(w) < 2 || w[len(w)-2] != "valid login" {
			t.Errorf("after a role was given, probes came to %q", w)
		}
		if suspended(l) {
			t.Error("suspended after a login")
		}

		r.onLogin = always(hmp.NoRoles)
		r.restart()
		r.sent()
		r.scrapeEvery(l, time.Second, 5*time.Minute)
		checkPauses(t, r.logins(), 30*time.Second, time.Minute, 2*time.Minute)
	})
}

var nextLogin = regexp.MustCompile(`no login before (\S+)`)

// promised returns when a reason says that the next login may come.
func promised(t *testing.T, report Report) time.Time {
	t.Helper()
	found := nextLogin.FindStringSubmatch(report.Reason)
	if found == nil {
		t.Fatalf("%s does not say when the next login may come: %q", word(report), report.Reason)
	}
	at, err := time.Parse(time.RFC3339, found[1])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A hold tells what the login came to, and when the next one comes.
func TestHeld(t *testing.T) {
	for _, answer := range []hmp.Answer{
		answerOf(hmp.LoginRejected),
		{Result: hmp.LoginRejected, StatusCode: 400, Code: hmp.InputValidation, Responded: true},
		{Result: hmp.LoginRejected, StatusCode: 403, Responded: true, Reason: "something else than HMP may have answered"},
		{Result: hmp.LoginRejected, StatusCode: 429, Responded: true, RetryAfter: 3 * time.Minute},
		answerOf(hmp.NoRoles),
	} {
		t.Run(fmt.Sprintf("%s %d", answer.Result, answer.StatusCode), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin = func(call) hmp.Answer { return answer }
				l := r.login(key, apiSecret)
				var next time.Time
				for range 3 * time.Hour / interval {
					now, report := time.Now(), r.probe(l)
					if late := now.Sub(next); !report.Held && !next.IsZero() && (late < 0 || late > interval+time.Second) {
						t.Errorf("a login %v later than the probes before had said", late)
					}
					if report.Held && !now.Before(next.Add(time.Second)) {
						t.Errorf("held %v longer than the probes before had said", now.Sub(next))
					}
					next = promised(t, report)
					want := Report{Answer: answer, Login: answer.Result}
					if report.Held {
						want = Report{Answer: hmp.Answer{Result: answer.Result, Code: answer.Code}, Held: true}
					}
					want.Reason = report.Reason
					if diff := cmp.Diff(want, report); diff != "" {
						t.Fatalf("the report (-want +got):\n%s", diff)
					}
					if answer.Reason != "" && report.Reason[:len(answer.Reason)] != answer.Reason {
						t.Fatalf("the reason is %q", report.Reason)
					}
					if !suspended(l) {
						t.Fatal("not suspended")
					}
					advance(interval)
				}
			})
		})
	}
}

func TestRetryAfterRefusal(t *testing.T) {
	for _, test := range []struct{ asked, want time.Duration }{
		{time.Second, 2 * time.Minute},
		{10 * time.Minute, 10 * time.Minute},
		{24 * time.Hour, 30 * time.Minute},
	} {
		t.Run(test.asked.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin = func(call) hmp.Answer {
					a := answerOf(hmp.LoginRejected)
					a.RetryAfter = test.asked
					return a
				}
				r.scrapeEvery(r.login(key, apiSecret), time.Second, 40*time.Minute)
				checkPauses(t, r.logins(), test.want)
			})
		})
	}
}
