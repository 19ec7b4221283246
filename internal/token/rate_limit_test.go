package token

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// However soon HMP ends tokens, there are three logins at once and then one in each sixth of
// the lifetime. A probe without a token says when the next login comes.
func TestLoginRateIsLimited(t *testing.T) {
	for lives, age := range map[time.Duration]string{0: "1s", 20 * time.Second: "30s", 61 * time.Second: "1m15s"} {
		t.Run(lives.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = lives
				reason := regexp.MustCompile(`^the next login comes at \d\d:\d\d:\d\d UTC, because HMP ended [0-9]+ tokens of this key within ` + age + ` of the login\. Find out who else uses the key, or lower token_lifetime\.$`)
				blocked := 0
				for range 3 * time.Hour / interval {
					report := r.probe(with(key, apiSecret))
					if report.Skipped {
						blocked++
						if report.Result != hmp.Unauthorized || report.Code != hmp.UserNotAuthorized || !report.Status.Suspended || !reason.MatchString(report.Reason) {
							t.Fatalf("a probe ended in %s, suspended %v: %s", brief(report), report.Status.Suspended, report.Reason)
						}
						if wait := untilNextLogin(t, report.Reason); wait > 5*time.Minute {
							t.Fatalf("the next login comes after %v", wait)
						}
					}
					advance(interval)
				}
				if n := len(r.logins()); n < 3+35 || n > 3+36 || blocked == 0 {
					t.Errorf("%d logins in three hours, want 3 and 36; %d probes had no token", n, blocked)
				}
			})
		})
	}
}

// The limit does not concern a token that HMP accepts. Once three logins are allowed again,
// the reason counts only newer tokens.
func TestRateLimitKeepsTheToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.onSession = always(hmp.Unauthorized)
		r.scrape(c, interval, 30*time.Second)
		r.onSession = nil
		check(t, "the third login", "valid login", brief(r.probe(c)))
		check(t, "suspended", false, r.probe(c).Status.Suspended)
		r.scrapeValid(c, time.Hour)
		r.onSession = always(hmp.Unauthorized)
		reports := r.scrape(c, interval, time.Minute)
		if last := reports[len(reports)-1]; !strings.Contains(last.Reason, "HMP ended 3 tokens ") && !strings.Contains(last.Reason, "HMP ended 4 tokens ") {
			t.Errorf("the reason: %s", last.Reason)
		}
	})
}
