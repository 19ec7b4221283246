package web

import (
	"net/http"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/internal/logging"
)

const (
	// bodyTimeout is how long a connection stays open after a request with a body.
	bodyTimeout = 5 * time.Second
	// contentSecurityPolicy allows only the style sheet and the script of the exporter.
	contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// secure sets the headers that every answer has, and refuses requests with a body.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		if header.Get("Content-Security-Policy") == "" { // the web configuration can set another
			header.Set("Content-Security-Policy", contentSecurityPolicy)
		}
		header.Set("Cache-Control", "no-store")
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
			header.Set("Connection", "close") // the client may still send the body
			http.Error(w, "no page here takes a body", http.StatusRequestEntityTooLarge)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recoverPanics logs a panic of a handler and answers with an error. If the answer may have
// begun, it closes the connection, so that nobody takes a part for the whole.
func recoverPanics(next http.Handler, logger log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			what := recover()
			if what == nil {
				return
			}
			if what == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
				panic(what)
			}
			logging.Panic(logger, what, "page", r.Pattern)
			if w.Header().Get("Content-Type") != "" { // every page sets it just before it writes
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "the exporter failed to make this page; this is a defect of the exporter, and its log has a line about it", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses a POST of a page of another origin, so that the page cannot use buttons or
// reload through somebody's browser. A GET passes, also one that probes. The page cannot read the
// answer. Programs send no origin and pass. external, unless it is "", is the origin of the
// pages behind a proxy.
func sameOrigin(external string) (*http.CrossOriginProtection, error) {
	protection := http.NewCrossOriginProtection()
	if external != "" {
		if err := protection.AddTrustedOrigin(external); err != nil {
			return nil, err
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "a page of another origin sent this request: open the exporter's own page; behind a proxy, set --web.external-url", http.StatusForbidden)
	}))
	return protection, nil
}
