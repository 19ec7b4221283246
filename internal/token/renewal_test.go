package token

import (
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// A renewal that HMP did not decide on does not fail a session whose token lives. The
// login counts, and is tried again after its back-off.
func TestUndecidedRenewalKeepsTheSession(t *testing.T) {
	gateway := answerOf(hmp.HTTPError)
	gateway.RetryAfter = 20 * time.Second
	for name, answer := range map[string]hmp.Answer{
		"directory is down": answerOf(hmp.AuthUnavailable), "internal error": answerOf(hmp.InternalError),
		"no connection": answerOf(hmp.Connect), "connection breaks": answerOf(hmp.Protocol), "not a session": answerOf(hmp.BadPayload),
		"gateway's 404": answerOf(hmp.EndpointMissing), "gateway's 429": gateway,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				r.probe(c)
				advance(27 * time.Minute)
				r.onLogin = func(call) hmp.Answer { return answer }
				got := r.probe(c)
				check(t, "the renewing probe", "valid login", brief(got))
				check(t, "its login", answer.Result, got.Login)
				check(t, "suspended", false, r.suspended(c))
				check(t, "the next probe", "valid", brief(r.probe(c)))
				r.onLogin = nil
				advance(21 * time.Second)
				check(t, "after the back-off", "valid login", brief(r.probe(c)))
			})
		})
	}
}

// A renewal that hangs leaves the probe enough time to ask with the token.
func TestHangingRenewalKeepsTheSession(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		advance(27 * time.Minute)
		r.loginTime, r.getTime = time.Hour, 4*time.Second
		begun := time.Now()
		check(t, "the probe", "valid login", brief(r.probe(c)))
		check(t, "its duration", 9*time.Second, time.Since(begun))
		advance(4 * time.Minute)
		r.sent()
		check(t, "with a token that has ended", "timeout login", brief(r.probe(c)))
		check(t, "sent", "POST timeout", path(r.sent()))
	})
}

// HMP refused the credential at its renewal. A token that HMP still accepts is used all the same.
func TestRefusedRenewalKeepsTheToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.lifetime = time.Hour // HMP keeps the token for longer than this side believes
		r.probe(c)
		r.accept(key, wrong)
		advance(27 * time.Minute)
		report := r.probe(c)
		check(t, "the renewing probe", "valid login", brief(report))
		check(t, "its login", hmp.LoginRejected, report.Login)
		check(t, "suspended", true, report.Status.Suspended && r.suspended(c))
		check(t, "the next probes", []string{"valid ×80"}, briefs(r.scrape(c, 20*time.Minute)))
		r.restart()
		check(t, "once HMP has ended the token", []string{"login_rejected", "login_rejected held"}, briefs([]Report{r.probe(c), r.probe(c)}))
	})
}

// If HMP does not accept the token that could not be renewed, the result is that of the login.
func TestFailedRenewalOfDeadToken(t *testing.T) {
	for _, result := range []hmp.Result{hmp.AuthUnavailable, hmp.LoginRejected, hmp.NoRoles} {
		t.Run(string(result), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				r.probe(c)
				r.sent()
				advance(30 * time.Minute)
				r.onLogin = always(result)
				check(t, "the probes", []string{string(result) + " login", string(result) + " held"}, briefs([]Report{r.probe(c), r.probe(c)}))
				check(t, "sent", "POST "+string(result)+", GET unauthorized", path(r.sent()))
			})
		})
	}
}

// While HMP's directory is down there is a login a minute, and the first probe after it is valid.
func TestOutage(t *testing.T) {
	for name, prepare := range map[string]func(*rig, Credential){
		"without a token": func(*rig, Credential) {},
		"with a token":    func(r *rig, c Credential) { r.scrape(c, 10*time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				prepare(r, c)
				r.sent()
				r.onLogin, r.onSession = always(hmp.AuthUnavailable), always(hmp.AuthUnavailable)
				for _, report := range r.scrape(c, 2*time.Hour) {
					if report.Result != hmp.AuthUnavailable || report.Status.Suspended {
						t.Fatalf("a probe ended in %s, suspended: %v", brief(report), report.Status.Suspended)
					}
				}
				if n := len(r.logins()); n < 80 || n > 125 {
					t.Errorf("%d logins in two hours", n)
				}
				r.onLogin, r.onSession = nil, nil
				advance(time.Minute)
				check(t, "the first probe after it", hmp.Valid, r.probe(c).Result)
			})
		})
	}
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
