package web

import (
	"net/http"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/internal/logging"
)

const (
	// bodyTimeout is how long the connection of a body, which no page takes, may stay.
	bodyTimeout = 5 * time.Second
	// contentSecurityPolicy is for the browser: nothing but this program's own style sheet and script,
	// and nothing that is sent elsewhere.
	contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// protect stands between clients and all pages. No client can hold up a page by what it
// sends. No browser keeps an answer, or takes it for what it is not. A panic in a page ends
// that page alone.
func protect(next http.Handler, logger log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy)
		w.Header().Set("Cache-Control", "no-store")
		c := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = c.SetReadDeadline(time.Now().Add(bodyTimeout))
			w.Header().Set("Connection", "close") // the body may still come
			http.Error(w, "no page here takes a body", http.StatusRequestEntityTooLarge)
			return
		}
		// A page may take its time, and the connection shall be of use afterwards. A
		// writer that cannot have a deadline, as in a test, goes without.
		_ = c.SetReadDeadline(time.Time{})
		a := &answer{ResponseWriter: w}
		defer recoverPage(a, r, logger)
		next.ServeHTTP(a, r)
	})
}

// sameOrigin keeps pages of other origins, in a browser that reaches this program, from
// having it do something. Programs are let through, as they do not say where they are from.
// The external origin, unless it is "", is that of the pages behind a proxy.
func sameOrigin(external string) (*http.CrossOriginProtection, error) {
	protection := http.NewCrossOriginProtection()
	if external != "" {
		if err := protection.AddTrustedOrigin(external); err != nil {
			return nil, err
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this was asked for by a page of another origin: open the exporter's own page; behind a proxy, set --web.external-url", http.StatusForbidden)
	}))
	return protection, nil
}

// setWriteDeadline sets by when the answer has to be read; zero is no limit.
func setWriteDeadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetWriteDeadline(t)
}

// An answer knows whether it has begun.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// recoverPage is deferred: it answers for a page that panicked. An answer that has
// begun is cut off, so that nobody takes it for whole.
func recoverPage(a *answer, r *http.Request, logger log.Logger) {
	what := recover()
	if what == nil {
		return
	}
	if what == http.ErrAbortHandler { //nolint:errorlint // it is compared as net/http does
		panic(what)
	}
	logging.Panic(logger, what, "page", r.Pattern)
	if a.begun {
		panic(http.ErrAbortHandler)
	}
	http.Error(a, "the exporter failed to make this page, which is a defect of it: its log has a line about it", http.StatusInternalServerError)
}
