package token

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	firstPause = 5 * time.Second
	maxPause   = time.Minute
	// maxRetryAfter is the longest that HMP or a gateway can ask to wait.
	maxRetryAfter = 30 * time.Minute
)

// A backoff holds logins back after some that HMP did not decide on.
type backoff struct {
	failures     int
	until        time.Time
	retryAfter   time.Time     // until when HMP asked to wait, with Retry-After
	lastDuration time.Duration // how long the last login took
	answer       hmp.Answer    // to it, as far as it can be repeated
}

// failed notes another login that HMP did not decide on.
func (b *backoff) recordFailure(now time.Time, a hmp.Answer, took time.Duration) {
	b.failures++
	b.until = now.Add(pause(b.failures))
	b.retryAfter = now.Add(min(a.RetryAfter, maxRetryAfter))
	b.lastDuration, b.answer = took, repeatable(a)
	if a.Result == hmp.Timeout && a.Reason == "" {
		b.answer = loginTimedOut
	}
}

// pause is how long to wait after so many failures in a row: twice as long after
// each one, and up to a tenth longer so that many do not go on together.
func pause(failures int) time.Duration {
	d := firstPause
	for ; failures > 1 && d < maxPause; failures-- {
		d *= 2
	}
	d = min(d, maxPause)
	return d + rand.N(d/10) //nolint:gosec // it spreads load, and guards nothing
}

// holds tells whether a login has to wait that may take so long. A login that ran out of
// time says nothing about one that has twice as much.
func (b *backoff) blocks(now time.Time, loginTime time.Duration) bool {
	longer := b.answer.Result == hmp.Timeout && loginTime >= 2*b.lastDuration
	return now.Before(b.retryAfter) || now.Before(b.until) && !longer
}

// lift ends the pause, but not the one that HMP asked for.
func (b *backoff) clear() { b.until = time.Time{} }
