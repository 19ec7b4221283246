package hmp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what the far side can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter returns how long a Retry-After header asks to wait: a number of
// seconds or until a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	} else if strings.Trim(value, "0123456789") == "" {
		n, _ := strconv.ParseUint(value, 10, 32) // the largest there is, if it is out of range
		wait = time.Duration(n) * time.Second
	}
	return min(max(0, wait), maxRetryAfter)
}
