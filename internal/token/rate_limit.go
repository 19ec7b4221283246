package token

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"hmp_exporter/internal/hmp"
)

const (
	loginsAtOnce      = 3
	loginsPerLifetime = 6
)

// A loginRateLimiter limits the rate of successful logins with a credential, because each of
// them leaves a session on the HMP. It allows three at once, and then one in each sixth of
// the lifetime. It does not matter why HMP ends tokens early.
type loginRateLimiter struct {
	bucket *rate.Limiter // nil before the first login

	// For the reason: how many tokens HMP rejected since the bucket was full, the
	// longest time from a login to its rejection, and the last rejection.
	rejections    int
	longestAge    time.Duration
	lastRejection hmp.Answer
}

// recordLogin records a login that succeeded.
func (l *loginRateLimiter) recordLogin(now time.Time, lifetime time.Duration) {
	if l.bucket == nil {
		l.bucket = rate.NewLimiter(rate.Every(lifetime/loginsPerLifetime), loginsAtOnce)
	}
	if l.bucket.TokensAt(now) >= loginsAtOnce {
		l.rejections, l.longestAge = 0, 0
	}
	l.bucket.AllowN(now, 1)
}

// recordRejection records that HMP rejected the current token at some age.
func (l *loginRateLimiter) recordRejection(age time.Duration, rejection hmp.Answer) {
	l.rejections++
	l.longestAge = max(l.longestAge, age)
	l.lastRejection = repeatable(rejection)
}

// blocks reports whether the next login has to wait. The answer is then the last rejection of
// a token, and its reason says when the next login comes.
func (l *loginRateLimiter) blocks(now time.Time, lifetime time.Duration) (answer hmp.Answer, blocked bool) {
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
	answer = l.lastRejection
	answer.Reason = fmt.Sprintf("the next login comes at %s, because HMP ended %d token%s of this key within %v of the login. Find out who else uses the key, or lower token_lifetime.",
		formatTime(now.Add(time.Duration(missing*float64(each)))), l.rejections, plural, max(time.Second, l.longestAge.Round(time.Second)))
	return answer, true
}
