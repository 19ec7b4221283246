package hmp

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds what the far side can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter returns how long a Retry-After header asks to wait: a number of
// seconds or until a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if n, err := strconv.ParseUint(value, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(n) * time.Second // out of range, n is the largest there is
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(0, wait), maxRetryAfter)
}
