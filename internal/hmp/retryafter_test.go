package hmp

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

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
