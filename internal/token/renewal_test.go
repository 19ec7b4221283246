package token

import (
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

func TestTokenIsRenewedInTime(t *testing.T) {
	for _, test := range []struct{ lifetime, interval, during time.Duration }{
		{30 * time.Minute, 15 * time.Second, 12 * time.Hour},
		{30 * time.Minute, 4 * time.Minute, 24 * time.Hour},
		{time.Minute, 15 * time.Second, time.Hour},
		{24 * time.Hour, 5 * time.Minute, 5 * 24 * time.Hour},
	} {
		inBubble(t, func(t *testing.T, r *rig) {
			r.lifetime, r.request.Lifetime = test.lifetime, test.lifetime
			for _, report := range r.scrape(with(key, apiSecret), test.interval, test.during) {
				if report.Result != hmp.Valid {
					t.Fatalf("%+v: a probe ended in %s", test, brief(report))
				}
			}
			logins := r.logins()
			latest := min(test.lifetime*9/10+2*test.interval, test.lifetime+test.interval)
			for i := 1; i < len(logins); i++ {
				if age := logins[i].at.Sub(logins[i-1].at); age < test.lifetime*8/10 || age > latest {
					t.Errorf("%+v: a token was renewed after %v", test, age)
				}
			}
		})
	}
}

// Tokens of one moment are renewed at different times.
func TestRenewalsSpread(t *testing.T) {
	times := make(map[time.Duration]bool)
	for range 30 {
		issued := &token{jitter: newJitter()}
		times[issued.renewAt(30*time.Minute).Sub(issued.issued).Round(time.Second)] = true
	}
	if len(times) < 15 {
		t.Errorf("30 tokens are renewed at %d times", len(times))
	}
}

// A renewal that HMP neither accepted nor refused does not fail a session whose token lives.
// The login is repeated after its back-off.
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
				check(t, "suspended", false, r.probe(c).Status.Suspended)
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
		check(t, "with a token that has expired", "timeout login", brief(r.probe(c)))
		check(t, "sent", "POST timeout", describe(r.sent()))
	})
}

// HMP refuses the renewal. The exporter uses the token while HMP accepts it.
func TestRefusedRenewalKeepsTheToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.lifetime = time.Hour // longer than configured
		r.probe(c)
		r.accept(key, wrong)
		advance(27 * time.Minute)
		report := r.probe(c)
		check(t, "the renewing probe", "valid login", brief(report))
		check(t, "its login", hmp.LoginRejected, report.Login)
		check(t, "suspended", true, report.Status.Suspended && r.probe(c).Status.Suspended)
		r.scrapeValid(c, 20*time.Minute)
		r.restart()
		check(t, "once HMP has ended the token", []string{"login_rejected", "login_rejected skipped"}, []string{brief(r.probe(c)), brief(r.probe(c))})
	})
}

// If the renewal fails and HMP rejects the token, the result is that of the login.
func TestFailedRenewalOfARejectedToken(t *testing.T) {
	for _, result := range []hmp.Result{hmp.AuthUnavailable, hmp.LoginRejected, hmp.NoRoles} {
		inBubble(t, func(t *testing.T, r *rig) {
			c := with(key, apiSecret)
			r.probe(c)
			r.sent()
			advance(30 * time.Minute)
			r.onLogin = always(result)
			check(t, "the probes", []string{string(result) + " login", string(result) + " skipped"}, []string{brief(r.probe(c)), brief(r.probe(c))})
			check(t, "sent", "POST "+string(result)+", GET unauthorized", describe(r.sent()))
		})
	}
}
