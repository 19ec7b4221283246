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
	reason := regexp.MustCompile(`^HMP ended [0-9]+ tokens of this key within ` + within + ` of the login; another client may use the key, or token_lifetime is too long; next login at \d\d:\d\d:\d\d UTC$`)
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

// HMP keeps one session a key, and another exporter has the same key: each ends the
// session of the other.
func TestTwoExportersOfOneKey(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.onLogin = func(call) hmp.Answer { r.restart(); return hmp.Answer{} }
		other := &rig{fake: r.fake, t: t, request: r.request, time: r.time}
		held := false
		for range 3 * time.Hour / interval {
			for _, exporter := range []*rig{r, other} {
				held = held || brief(exporter.probe(c)) == "unauthorized held"
				advance(interval / 2)
			}
		}
		if n := len(r.logins()); n > 2*(3+36) || !held {
			t.Errorf("%d logins of both in three hours, held back: %v", n, held)
		}
	})
}

// Tokens that live for a sixth of the lifetime or longer are replaced at once for ever, and
// restarts of HMP cost no probe.
func TestPaceSparesOthers(t *testing.T) {
	for _, lives := range []time.Duration{6 * time.Minute, 10 * time.Minute} {
		t.Run(lives.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = lives
				r.valid(with(key, apiSecret), 12*time.Hour)
			})
		})
	}
	t.Run("restarts", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			c := with(key, apiSecret)
			for range 8 {
				r.valid(c, 20*time.Minute)
				r.restart()
				r.valid(c, time.Minute)
				r.restart()
			}
		})
	})
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
		check(t, "suspended", false, r.suspended(c))
		r.valid(c, time.Hour)
		r.onSession = always(hmp.Unauthorized)
		reports := r.scrape(c, time.Minute)
		if last := reports[len(reports)-1]; !strings.HasPrefix(last.Reason, "HMP ended 3 tokens ") && !strings.HasPrefix(last.Reason, "HMP ended 4 tokens ") {
			t.Errorf("the reason: %s", last.Reason)
		}
	})
}
