package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"hmp_exporter/collector"
)

// retryTimeout is how long the collector may take to allow a login; it reads the secret.
const retryTimeout = 5 * time.Second

// retryLogin has a login tried at once, although logins are suspended, and leads back to the
// page of the session. The form on that page asks for a confirmation. As for a probe, no
// body is read.
func (h *handler) retryLogin(w http.ResponseWriter, r *http.Request) {
	target, session, err := sessionParameters(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.beginScrape(w, retryPath, target) {
		return
	}
	defer h.limiter.end(target)
	ctx, cancel := context.WithTimeout(r.Context(), retryTimeout)
	defer cancel()
	switch err := h.Collector.RetryLogin(ctx, target, session); {
	case err == nil:
		h.probeAndReturn(w, r, target, session)
	case errors.Is(err, collector.ErrTooSoon):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "The login of this session was tried less than a minute ago. Wait a minute, then try again.", http.StatusTooManyRequests)
	case errors.Is(err, collector.ErrNoLogin):
		http.Error(w, "This session has a token and no API key, so the exporter does not log in.", http.StatusConflict)
	case errors.Is(err, collector.ErrUnknownTarget), errors.Is(err, collector.ErrUnknownSession):
		unknown(w, err)
	default:
		http.Error(w, "The login was not tried: "+err.Error(), http.StatusInternalServerError)
	}
}

// retryAction is where to post to have the login of a session tried at once, relative to
// the pages.
func retryAction(target, session string) string {
	return strings.TrimPrefix(retryPath, "/") + "?" + parametersOf(target, session)
}
