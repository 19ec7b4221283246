package session

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/hmp"
)

// maxPause is the longest that logins are ever held back at once, whatever the
// HMP asks for.
const maxPause = 30 * time.Minute

// A schedule is how long to pause after the first failure in a row, and at most.
type schedule struct{ first, most time.Duration }

var (
	// The credential has to be put right, and an account may be locked meanwhile.
	wrongCredentials = schedule{2 * time.Minute, maxPause}
	// The user has no role, or what HMP hands out is no token that it accepts. This
	// is mended in HMP, and nothing here changes when it is.
	unusable = schedule{30 * time.Second, 5 * time.Minute}
	// HMP did not decide, and cannot have made a session: to try again costs no
	// more than a probe does.
	harmless = schedule{5 * time.Second, 10 * time.Second}
	// HMP did not decide, and may have made a session that nobody knows of.
	unclear = schedule{5 * time.Second, time.Minute}
)

// pause is how long to wait after so many failures in a row: twice as long after
// each one, and up to a tenth longer so that many do not go on together.
func (s schedule) pause(failures int) time.Duration {
	d := s.first
	for ; failures > 1 && d < s.most; failures-- {
		d *= 2
	}
	d = min(d, s.most)
	return d + rand.N(d/10) //nolint:gosec // it spreads load, and guards nothing
}

// loginRefused tells whether an answer to a login is a decision about the
// credential, so that the same login again would get the same answer.
func loginRefused(o hmp.Result) bool { return o == hmp.LoginRejected || o == hmp.NoRoles }

// tokenRejected tells whether an answer to a token is that HMP does not accept it.
func tokenRejected(o hmp.Result) bool { return o == hmp.Unauthorized || o == hmp.NoRoles }

// sessionless tells whether an answer to a login rules out that a session was made.
func sessionless(a hmp.Answer) bool {
	switch a.Result {
	case hmp.DNS, hmp.Connect, hmp.TLS, hmp.Saturated:
		return true
	case hmp.Timeout:
		return !a.Responded && a.Phases.Processing == 0 // it never came to a request
	default:
		return a.StatusCode >= 300 && a.StatusCode != gatewayTimeout
	}
}

// gatewayTimeout is the status by which a proxy says that it did not wait for
// what HMP came to.
const gatewayTimeout = 504

// A backoff holds the logins of one session back, after some that HMP did not
// decide on.
type backoff struct {
	failures int
	least    time.Time // until when nobody tries, however patient
	until    time.Time
	asked    time.Time     // until when HMP asked to wait, with Retry-After
	had      time.Duration // the time that the last login had
	answer   hmp.Answer    // what it came to
}

// failed notes another failure. With a token at hand there is no hurry: probes go
// on with it, and its rejection brings the next login forward.
func (b *backoff) failed(now time.Time, a hmp.Answer, had time.Duration, haveToken bool) {
	pace := unclear
	switch {
	case a.Result == hmp.BadPayload:
		pace = unusable
	case sessionless(a) && !haveToken:
		pace = harmless
	}
	b.failures++
	b.least = now.Add(unclear.first)
	b.until = now.Add(pace.pause(b.failures))
	b.asked = now.Add(min(a.RetryAfter, maxPause))
	b.had, b.answer = had, told(a)
}

// holds tells whether a login has to wait that would have so much time. One that
// failed for lack of time does not speak for one that has more.
func (b *backoff) holds(now time.Time, have time.Duration) bool {
	patient := b.answer.Result == hmp.Timeout && have > b.had+b.had/4 && !now.Before(b.least)
	return now.Before(b.asked) || now.Before(b.until) && !patient
}

// lift ends the pause, but for what HMP asked for.
func (b *backoff) lift() { b.until = time.Time{} }

// told is what can be repeated of an answer while nothing is sent: not what
// belongs to the exchange.
func told(a hmp.Answer) hmp.Answer {
	return hmp.Answer{Result: a.Result, Code: a.Code, Reason: a.Reason}
}
