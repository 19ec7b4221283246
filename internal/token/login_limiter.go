package token

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"hmp_exporter/internal/hmp"
)

// Rule: each credential has one token bucket for its logins. It allows three at once, and
// then one in each sixth of the lifetime, whatever makes HMP end tokens early.

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
func (p *loginLimiter) recordLogin(now time.Time, lifetime time.Duration) {
	if p.bucket == nil {
		p.bucket = rate.NewLimiter(rate.Every(lifetime/loginsPerLifetime), loginsAtOnce)
	}
	if p.bucket.TokensAt(now) >= loginsAtOnce {
		p.rejections, p.longestAge = 0, 0
	}
	p.bucket.AllowN(now, 1)
}

// recordRejection records that HMP rejected the current token at some age.
func (p *loginLimiter) recordRejection(age time.Duration, rejection hmp.Answer) {
	p.rejections++
	p.longestAge = max(p.longestAge, age)
	p.lastRejection = repeatable(rejection)
}

// blocks reports whether the next login has to wait, and why.
func (p *loginLimiter) blocks(now time.Time, lifetime time.Duration) (hmp.Answer, bool) {
	if p.bucket == nil {
		return hmp.Answer{}, false
	}
	each := lifetime / loginsPerLifetime
	p.bucket.SetLimitAt(now, rate.Every(each)) // a reload may have changed the lifetime
	missing := 1 - p.bucket.TokensAt(now)
	if missing <= 0 {
		return hmp.Answer{}, false
	}
	plural := "s"
	if p.rejections == 1 {
		plural = ""
	}
	why := p.lastRejection
	why.Reason = fmt.Sprintf("HMP ended %d token%s of this key within %v of the login; another client may use the key, or token_lifetime is too long; next login at %s",
		p.rejections, plural, max(time.Second, p.longestAge.Round(time.Second)), clock(now.Add(time.Duration(missing*float64(each)))))
	return why, true
}

// clock formats a time for people, rounded up to whole seconds.
func clock(t time.Time) string { return t.Add(time.Second - 1).UTC().Format("15:04:05 UTC") }
