package token

import (
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"

	"hmp_exporter/internal/hmp"
)

const (
	firstPause = 5 * time.Second
	maxPause   = time.Minute
	// maxRetryAfter bounds the wait that HMP or a gateway can ask for.
	maxRetryAfter = 30 * time.Minute
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
	b.retryAfter = now.Add(min(a.RetryAfter, maxRetryAfter))
	b.lastDuration, b.answer = took, repeatable(a)
	if a.Result == hmp.Timeout && a.Reason == "" {
		b.answer = loginTimedOut
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

// blocks reports whether a login that may take loginTime has to wait. A login that timed
// out does not block a login with twice as much time.
func (b *backoff) blocks(now time.Time, loginTime time.Duration) bool {
	longer := b.answer.Result == hmp.Timeout && loginTime >= 2*b.lastDuration
	return now.Before(b.retryAfter) || now.Before(b.until) && !longer
}

// Rule: each credential has one token bucket for its logins. It allows three at once, and
// then one in each sixth of the lifetime. It does not matter why HMP ends tokens early.

const (
	loginsAtOnce      = 3
	loginsPerLifetime = 6
)

// A loginLimiter limits the rate of successful logins. Each of them leaves a session on
// the HMP.
type loginLimiter struct {
	bucket *rate.Limiter // nil before the first login

	// For the reason: how many tokens HMP rejected since the bucket was full, the
	// longest time from a login to its rejection, and the last rejection.
	rejections    int
	longestAge    time.Duration
	lastRejection hmp.Answer
}

// recordLogin records a login that succeeded.
func (l *loginLimiter) recordLogin(now time.Time, lifetime time.Duration) {
	if l.bucket == nil {
		l.bucket = rate.NewLimiter(rate.Every(lifetime/loginsPerLifetime), loginsAtOnce)
	}
	if l.bucket.TokensAt(now) >= loginsAtOnce {
		l.rejections, l.longestAge = 0, 0
	}
	l.bucket.AllowN(now, 1)
}

// recordRejection records that HMP rejected the current token at some age.
func (l *loginLimiter) recordRejection(age time.Duration, rejection hmp.Answer) {
	l.rejections++
	l.longestAge = max(l.longestAge, age)
	l.lastRejection = repeatable(rejection)
}

// blocks reports whether the next login has to wait, and why.
func (l *loginLimiter) blocks(now time.Time, lifetime time.Duration) (hmp.Answer, bool) {
	if l.bucket == nil {
		return hmp.Answer{}, false
	}
	each := lifetime / loginsPerLifetime
	l.bucket.SetLimitAt(now, rate.Every(each)) // a reload may have changed the lifetime
	missing := 1 - l.bucket.TokensAt(now)
	if missing <= 0 {
		return hmp.Answer{}, false
	}
	plural := "s"
	if l.rejections == 1 {
		plural = ""
	}
	why := l.lastRejection
	why.Reason = fmt.Sprintf("the next login comes at %s, because HMP ended %d token%s of this key within %v of the login. Find out who else uses the key, or lower token_lifetime.",
		clock(now.Add(time.Duration(missing*float64(each)))), l.rejections, plural, max(time.Second, l.longestAge.Round(time.Second)))
	return why, true
}

// clock formats a time for people, rounded up to whole seconds.
func clock(t time.Time) string { return t.Add(time.Second - 1).UTC().Format("15:04:05 UTC") }
