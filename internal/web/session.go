package web

import (
	"errors"
	"net/http"
	"slices"

	"hmp_exporter/collector"
	"hmp_exporter/config"
)

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
