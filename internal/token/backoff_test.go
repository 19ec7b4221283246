package token

import (
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// All logins that HMP neither accepted nor refused have one schedule.
func TestBackoff(t *testing.T) {
	const s = time.Second
	for _, result := range []hmp.Result{
		hmp.AuthUnavailable, hmp.InternalError, hmp.HTTPError, hmp.EndpointMissing, hmp.Redirect, hmp.BadPayload,
		hmp.DNS, hmp.Connect, hmp.TLS, hmp.Protocol, hmp.Saturated,
	} {
		t.Run(string(result), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				fail := func(call) hmp.Answer { return hmp.Answer{Result: result, Reason: "why"} }
				r.onLogin = fail
				for _, report := range r.scrape(c, s, 4*time.Minute) {
					if report.Result != result || report.Reason != "why" || report.Skipped == (report.Login != "") {
						t.Fatalf("a probe ended in %s: %s", brief(report), report.Reason)
					}
				}
				checkPauses(t, r.logins(), 5*s, 10*s, 20*s, 40*s, 60*s, 60*s)

				r.onLogin = nil
				advance(time.Minute)
				check(t, "after the back-off", "valid login", brief(r.probe(c)))
				r.restart()
				r.onLogin = fail
				r.scrape(c, s, 10*s)
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
		inBubble(t, func(t *testing.T, r *rig) {
			r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.AuthUnavailable, RetryAfter: asked} }
			r.scrape(with(key, apiSecret), time.Second, 40*time.Minute)
			checkPauses(t, r.logins(), want)
		})
	}
}

// If HMP rejects the current token, HMP works again. The next login comes at once, unless HMP
// asked to wait.
func TestRejectionEndsBackoff(t *testing.T) {
	for asked, want := range map[time.Duration]string{0: "valid login", 50 * time.Second: "auth_unavailable"} {
		inBubble(t, func(t *testing.T, r *rig) {
			r.lifetime = time.Hour
			c := with(key, apiSecret)
			r.probe(c)
			advance(28 * time.Minute)
			r.onLogin = func(call) hmp.Answer { return hmp.Answer{Result: hmp.AuthUnavailable, RetryAfter: asked} }
			r.scrape(c, interval, 10*time.Minute) // until the pause is a minute
			for r.probe(c).Login == "" {
				advance(time.Second)
			}
			advance(20 * time.Second)
			r.onLogin = nil
			r.restart()
			check(t, "Retry-After: "+asked.String(), want, brief(r.probe(c)))
		})
	}
}
