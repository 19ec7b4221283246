package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/config"
)

// retryTimeout bounds the time to allow a login. The collector reads the secret in this time.
const retryTimeout = 5 * time.Second

var sessionPage = parsePage("session.html")

// session shows the history of a session.
func (h *handler) session(w http.ResponseWriter, r *http.Request) {
	target, session, err := parseSession(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	history, err := h.Collector.History(target, session)
	if err != nil {
		http.Error(w, err.Error()+": the status page lists what is configured", http.StatusNotFound)
		return
	}
	history.Last.Version = h.Collector.Version(target)
	history.Failures = slices.DeleteFunc(history.Failures, func(f collector.Result) bool { return f.Start.Equal(history.Last.Start) })
	data := &struct {
		pageData
		collector.History
		Target *config.Target // nil if a reload has just removed it
	}{pageData: h.pageData(target + " / " + session), History: history}
	targets := h.Store.Config().Targets
	if i := slices.IndexFunc(targets, func(t *config.Target) bool { return t.Name == target }); i >= 0 {
		data.Target = targets[i]
	}
	render(w, r, sessionPage, data)
}

// probeNow probes a session, or all sessions of a target.
func (h *handler) probeNow(w http.ResponseWriter, r *http.Request) {
	_, target, session, err := parseTarget(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if h.limiter.acquire(w, sessionPath, target) {
		defer h.limiter.release(target)
		h.probeAndRedirect(w, r, target, session)
	}
}

// retryLogin tries the login of a session at once, although logins are suspended.
func (h *handler) retryLogin(w http.ResponseWriter, r *http.Request) {
	target, session, err := parseSession(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.limiter.acquire(w, retryLoginPath, target) {
		return
	}
	defer h.limiter.release(target)
	// The context of the request is done as soon as the exporter begins to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), retryTimeout)
	defer cancel()
	switch err := h.Collector.RetryLogin(ctx, target, session); {
	case err == nil:
		h.probeAndRedirect(w, r, target, session)
	case errors.Is(err, collector.ErrTooSoon):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "the login of this session was tried less than a minute ago: wait a minute, then try again", http.StatusTooManyRequests)
	case errors.Is(err, collector.ErrNoLogin):
		http.Error(w, "this session has a token and no API key, so the exporter does not log in", http.StatusConflict)
	case errors.Is(err, collector.ErrUnknownTarget), errors.Is(err, collector.ErrUnknownSession):
		writeUnknown(w, err)
	default:
		http.Error(w, "the login was not tried: "+err.Error(), http.StatusInternalServerError)
	}
}

// probeAndRedirect probes, and redirects to the page that shows the result.
func (h *handler) probeAndRedirect(w http.ResponseWriter, r *http.Request, target, session string) {
	if _, err := h.runProbes(w, r, target, session); err != nil {
		writeUnknown(w, err)
		return
	}
	to := filter{Target: target}.link()
	if session != "" {
		to = "session?target=" + url.QueryEscape(target) + "&session=" + url.QueryEscape(session)
	}
	w.Header().Set("Location", to) // relative, see redirect
	w.WriteHeader(http.StatusSeeOther)
}
