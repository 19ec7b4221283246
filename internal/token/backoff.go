package token

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	firstPause = 5 * time.Second
	maxPause   = time.Minute
	// maxLoginWait bounds the wait that HMP or a gateway can ask for.
	maxLoginWait = 30 * time.Minute
)

// A backoff delays the next login after logins that HMP neither accepted nor refused.
type backoff struct {
	failures     int
	until        time.Time
	retryAfter   time.Time     // the end of the wait that HMP asked for with Retry-After
	lastDuration time.Duration // how long the last login took
	answer       hmp.Answer    // to the last login, see repeatable
}

// recordFailure records a login that HMP neither accepted nor refused.
func (b *backoff) recordFailure(now time.Time, a hmp.Answer, took time.Duration) {
	b.failures++
	b.until = now.Add(pause(b.failures))
	b.retryAfter = now.Add(min(a.RetryAfter, maxLoginWait))
	b.lastDuration, b.answer = took, repeatable(a)
	if a.Result == hmp.Timeout && a.Reason == "" { // for the probes that did not send the login
		b.answer = LoginTimedOut
	}
}

// pause returns how long to wait after some failures in a row. It doubles with each
// failure. The jitter of up to a tenth keeps many credentials from logging in together.
func pause(failures int) time.Duration {
	d := firstPause
	for ; failures > 1 && d < maxPause; failures-- {
		d *= 2
	}
	d = min(d, maxPause)
	return d + rand.N(d/10) //nolint:gosec // it spreads load, and guards nothing
}

// endPause allows the next login, unless HMP asked to wait with Retry-After.
func (b *backoff) endPause() { b.until = time.Time{} }

// blocks reports whether a login that may take loginTime has to wait. A login that timed
// out does not block a login with twice as much time.
func (b *backoff) blocks(now time.Time, loginTime time.Duration) bool {
	longer := b.answer.Result == hmp.Timeout && loginTime >= 2*b.lastDuration
	return now.Before(b.retryAfter) || now.Before(b.until) && !longer
}
