package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/internal/crash"
)

const (
	// writeTimeout is how long a client may take to read an answer.
	writeTimeout = 30 * time.Second
	// bodyTimeout is how long a client may take to send a body, which no page needs.
	bodyTimeout = 5 * time.Second
	// maxBody is how large such a body may be, in bytes.
	maxBody = 64 << 10
)

// guard is what stands between clients and all pages: none can hold one up by what
// it sends or does not read, and a defect in one stays there.
func guard(next http.Handler, logger log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer recoverPage(w, r, logger)
		if err := discardBody(w, r); err != nil {
			w.Header().Set("Connection", "close") // the rest of the body may still come
			status := http.StatusRequestTimeout
			if _, large := errors.AsType[*http.MaxBytesError](err); large {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "no page here takes a body, and this one does not end", status)
			return
		}
		setWriteDeadline(w, time.Now().Add(writeTimeout))
		next.ServeHTTP(w, r)
	})
}

// discardBody reads the body away. The server would do so too, but without a bound
// in time and in the midst of a page, when a scrape has its place already.
func discardBody(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyTimeout))
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Time{})
	return nil
}

// unhurried is for pages that have their own time.
func unhurried(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		setWriteDeadline(w, time.Time{})
		next(w, r)
	}
}

// setWriteDeadline sets by when the answer has to be read; zero is no limit.
func setWriteDeadline(w http.ResponseWriter, t time.Time) {
	// A writer that cannot have a deadline, as in a test, goes without.
	_ = http.NewResponseController(w).SetWriteDeadline(t)
}

// recoverPage is deferred: it answers for a page that panicked.
func recoverPage(w http.ResponseWriter, r *http.Request, logger log.Logger) {
	what := recover()
	if what == nil {
		return
	}
	if what == http.ErrAbortHandler { //nolint:errorlint // it is compared as net/http does
		panic(what)
	}
	crash.Log(logger, what, "page", r.Pattern)
	http.Error(w, "the exporter failed to make this page, which is a defect of it: its log has a line about it", http.StatusInternalServerError)
}
