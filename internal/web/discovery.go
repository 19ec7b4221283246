package web

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hmp_exporter/config"
)

// A targetGroup is a group of Prometheus' HTTP service discovery, see
// https://prometheus.io/docs/prometheus/latest/http_sd/.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

const (
	metaLabel = "__meta_hmp_"
	// maxSessionsLabel is the maximum length of the label with the names of all sessions, in bytes.
	maxSessionsLabel = 16 << 10
)

// discovery answers with a group for each target, or with ?by=session for each session. The
// address of a group is a name, because the exporter does not know its own address.
func (h *handler) discovery(w http.ResponseWriter, r *http.Request) {
	query, err := parseQuery(r)
	by, given := query["by"]
	bySession := slices.Equal(by, []string{"session"})
	if err == nil && given && !bySession && !slices.Equal(by, []string{"target"}) {
		err = errors.New("the parameter by must be target or session")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	groups := []targetGroup{} // not nil, because null is an error to Prometheus
	for _, t := range h.Store.Config().Targets {
		if bySession {
			for i, s := range t.Sessions {
				labels := h.groupLabels(t, t.Sessions[i:i+1])
				labels[metaLabel+"session"] = s.Name
				groups = append(groups, targetGroup{[]string{t.Name + "/" + s.Name}, labels})
			}
			continue
		}
		labels := h.groupLabels(t, t.Sessions)
		var names []string
		for _, s := range t.Sessions {
			names = append(names, s.Name)
		}
		if list := labelList(names); len(list) <= maxSessionsLabel {
			labels[metaLabel+"sessions"] = list
		}
		groups = append(groups, targetGroup{[]string{t.Name}, labels})
	}
	text, err := json.Marshal(groups)
	if err != nil {
		http.Error(w, "the targets cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n'))
}

// groupLabels returns the labels of sessions of a target. A URL in a configuration has no user
// and no password.
func (h *handler) groupLabels(t *config.Target, sessions []*config.Session) map[string]string {
	port := t.URL.Port()
	switch {
	case port == "" && t.URL.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	var credentials []string
	if slices.ContainsFunc(sessions, func(s *config.Session) bool { return s.KeyMode() }) {
		credentials = append(credentials, "api_key")
	}
	if slices.ContainsFunc(sessions, func(s *config.Session) bool { return !s.KeyMode() }) {
		credentials = append(credentials, "token")
	}
	labels := map[string]string{
		metaLabel + "target":        t.Name,
		metaLabel + "url":           t.URL.String(),
		metaLabel + "scheme":        t.URL.Scheme,
		metaLabel + "host":          t.URL.Hostname(),
		metaLabel + "port":          port,
		metaLabel + "session_count": strconv.Itoa(len(sessions)),
		metaLabel + "credentials":   labelList(credentials),
	}
	maps.Copy(labels, t.Labels)
	if v := h.Collector.Version(t.Name); v != nil {
		labels[metaLabel+"version"] = v.Version.Version
	}
	return labels
}

// labelList joins names to one label value. As in Prometheus' own discoveries, a comma stands
// around each name, so that .*,playout,.* matches a whole name.
func labelList(names []string) string { return "," + strings.Join(names, ",") + "," }
