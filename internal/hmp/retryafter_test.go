package hmp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"seconds", "120", 2 * time.Minute},
		{"leading zeros", "007", 7 * time.Second},
		{"now", "0", 0},
		{"a day", "86400", 24 * time.Hour},
		{"more than a day", "86401", 24 * time.Hour},
		{"more than an integer holds", strings.Repeat("9", 100), 24 * time.Hour},
		{"negative", "-5", 0},
		{"a sign", "+5", 0},
		{"a fraction", "1.5", 0},
		{"a unit", "5s", 0},
		{"garbage", "soon", 0},
		{"absent", "", 0},
		{"a date", "Tue, 03 Feb 2026 04:06:06 GMT", time.Minute},
		{"a date of RFC 850", "Tuesday, 03-Feb-26 04:06:06 GMT", time.Minute},
		{"a date of asctime", "Tue Feb  3 04:06:06 2026", time.Minute},
		{"a past date", "Tue, 03 Feb 2026 04:05:05 GMT", 0},
		{"the first date", "Mon, 01 Jan 0001 00:00:00 GMT", 0},
		{"the last date", "Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour},
		{"a date without its zone", "Tue, 03 Feb 2026 04:06:06", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := retryAfter(tt.value, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The header counts in the answers that are not a success, to either call.
func TestRetryAfterByStatus(t *testing.T) {
	for status, want := range map[int]time.Duration{
		200: 0, 202: 0, 302: time.Minute, 401: time.Minute, 429: time.Minute, 500: time.Minute, 503: time.Minute,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "60")
			answer(status, `{"data":{}}`)(w, r)
		}))
		if got := ask(t, s.URL, plenty).RetryAfter; got != want {
			t.Errorf("GET, %d: got %v, want %v", status, got, want)
		}
		if a, _ := exchange(t, s.URL, plenty, login); a.RetryAfter != want {
			t.Errorf("POST, %d: got %v, want %v", status, a.RetryAfter, want)
		}
		s.Close()
	}
}
