package token

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// paced scrapes for three hours and checks that logins are three and one in each sixth of
// the lifetime, and that who has no token is told why.
func (r *rig) paced(c Credential, within string) {
	r.t.Helper()
	reason := regexp.MustCompile(`^the next login comes at \d\d:\d\d:\d\d UTC, because HMP ended [0-9]+ tokens of this key within ` + within + ` of the login\. Find out who else uses the key, or lower token_lifetime\.$`)
	held := 0
	for range 3 * time.Hour / interval {
		report := r.probe(c)
		if report.Skipped {
			held++
			if report.Result != hmp.Unauthorized || report.Code != hmp.UserNotAuthorized || !report.Status.Suspended || !reason.MatchString(report.Reason) {
				r.t.Fatalf("a probe ended in %s, suspended %v: %s", brief(report), report.Status.Suspended, report.Reason)
			}
			if d := promised(r.t, report.Reason); d > 5*time.Minute {
				r.t.Fatalf("the next login is promised after %v", d)
			}
		}
		advance(interval)
	}
	if n := len(r.logins()); n < 3+35 || n > 3+36 || held == 0 {
		r.t.Errorf("%d logins in three hours, want 3 and 36; %d probes were held back", n, held)
	}
}

// However long HMP keeps tokens, there is no login for each scrape.
func TestLoginsArePaced(t *testing.T) {
	for lives, within := range map[time.Duration]string{0: "1s", 20 * time.Second: "30s", 61 * time.Second: "1m15s"} {
		t.Run(lives.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = lives
				r.paced(with(key, apiSecret), within)
			})
		})
	}
}

// A token that lives is used, however many logins there were. Once the pace has recovered, the
// count of the reason begins anew.
func TestPaceHoldsNoToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.onSession = always(hmp.Unauthorized)
		r.scrape(c, 30*time.Second)
		r.onSession = nil
		check(t, "the third login", "valid login", brief(r.probe(c)))
		check(t, "suspended", false, r.probe(c).Status.Suspended)
		r.valid(c, time.Hour)
		r.onSession = always(hmp.Unauthorized)
		reports := r.scrape(c, time.Minute)
		if last := reports[len(reports)-1]; !strings.Contains(last.Reason, "HMP ended 3 tokens ") && !strings.Contains(last.Reason, "HMP ended 4 tokens ") {
			t.Errorf("the reason: %s", last.Reason)
		}
	})
}

// There is one schedule for all logins that HMP did not decide on.
func TestBackoff(t *testing.T) {
	const s = time.Second
	for _, result := range []hmp.Result{
		hmp.AuthUnavailable, hmp.InternalError, hmp.HTTPError, hmp.EndpointMissing, hmp.Redirect, hmp.BadPayload,
		hmp.DNS, hmp.Connect, hmp.TLS, hmp.Protocol, hmp.Saturated,
	} {
		t.Run(string(result), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin = func(call) hmp.Answer {
					a := answerOf(result)
					a.Reason = "why"
					return a
				}
				for _, report := range r.scrapeEvery(with(key, apiSecret), s, 4*time.Minute) {
					if report.Result != result || report.Reason != "why" || report.Skipped == (report.Login != "") {
						t.Fatalf("a probe ended in %s: %s", brief(report), report.Reason)
					}
				}
				checkPauses(t, r.logins(), 5*s, 10*s, 20*s, 40*s, 60*s, 60*s)

				fail := r.onLogin
				r.onLogin = nil
				advance(time.Minute)
				check(t, "after the back-off", "valid login", brief(r.probe(with(key, apiSecret))))
				r.restart()
				r.onLogin = fail
				r.scrapeEvery(with(key, apiSecret), s, 10*s)
				checkPauses(t, r.logins()[1:], 5*s)
			})
		})
	}
}

// HMP or a gateway can ask to wait for longer, up to half an hour.
func TestRetryAfter(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		time.Second: 5 * time.Second, 10 * time.Minute: 10 * time.Minute, 24 * time.Hour: 30 * time.Minute,
	} {
		t.Run(asked.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.AuthUnavailable, RetryAfter: asked} }
				r.scrapeEvery(with(key, apiSecret), time.Second, 40*time.Minute)
				checkPauses(t, r.logins(), want)
			})
		})
	}
}

// HMP decides again when it rejects the token at hand. The next login comes at once,
// unless HMP asked to wait.
func TestRejectionEndsBackoff(t *testing.T) {
	for asked, want := range map[time.Duration]string{0: "valid login", 50 * time.Second: "auth_unavailable"} {
		t.Run(asked.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = time.Hour
				c := with(key, apiSecret)
				r.probe(c)
				advance(28 * time.Minute)
				r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.AuthUnavailable, RetryAfter: asked} }
				r.scrape(c, 10*time.Minute) // until the pause is a minute
				for r.probe(c).Login == "" {
					advance(time.Second)
				}
				advance(20 * time.Second)
				r.onLogin = nil
				r.restart()
				check(t, "the probe", want, brief(r.probe(c)))
			})
		})
	}
}
