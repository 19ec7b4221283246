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

// parseSession returns the session that a request names.
func parseSession(r *http.Request) (target, session string, err error) {
	_, target, session, err = parseTarget(r)
	if err == nil && session == "" {
		err = errors.New("parameter session is missing: name a configured session, as in /session?target=studio&session=playout")
	}
	return target, session, err
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

// probeAll probes all sessions.
func (h *handler) probeAll(w http.ResponseWriter, r *http.Request) {
	if h.limiter.acquire(w, probeAllPath, "") {
		defer h.limiter.release("")
		h.probeAndRedirect(w, r, "", "")
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
	ctx, cancel := context.WithTimeout(r.Context(), retryTimeout)
	defer cancel()
	switch err := h.Collector.RetryLogin(ctx, target, session); {
	case err == nil:
		h.probeAndRedirect(w, r, target, session)
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

// probeAndRedirect probes, and redirects to the page that shows the result.
func (h *handler) probeAndRedirect(w http.ResponseWriter, r *http.Request, target, session string) {
	if _, err := h.probeSessions(w, r, target, session); err != nil {
		unknown(w, err)
		return
	}
	to := filter{Target: target}.link()
	if session != "" {
		to = "session?target=" + url.QueryEscape(target) + "&session=" + url.QueryEscape(session)
	}
	w.Header().Set("Location", to) // relative, see redirect
	w.WriteHeader(http.StatusSeeOther)
}
