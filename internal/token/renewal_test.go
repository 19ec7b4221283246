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
		check(t, "suspended", true, report.Status.Suspended && r.probe(c).Status.Suspended)
		r.valid(c, 20*time.Minute)
		r.restart()
		check(t, "once HMP has ended the token", []string{"login_rejected", "login_rejected held"}, []string{brief(r.probe(c)), brief(r.probe(c))})
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
				check(t, "the probes", []string{string(result) + " login", string(result) + " held"}, []string{brief(r.probe(c)), brief(r.probe(c))})
				check(t, "sent", "POST "+string(result)+", GET unauthorized", path(r.sent()))
			})
		})
	}
}
