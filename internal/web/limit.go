package web

import (
	"fmt"
	"net/http"
)

// limiter returns a wrapper that lets so many requests of all handlers it wraps
// through at once and refuses more with a 503. Zero is no limit.
func limiter(most int) func(http.HandlerFunc) http.Handler {
	if most <= 0 {
		return func(next http.HandlerFunc) http.Handler { return next }
	}
	slots := make(chan struct{}, most)
	return func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				next(w, r)
			default:
				http.Error(w, fmt.Sprintf("%d scrapes are under way, which is the limit of --web.max-requests", most), http.StatusServiceUnavailable)
			}
		})
	}
}
