package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hmp_exporter/config"
)

// A targetGroup is one of Prometheus' HTTP service discovery, as
// https://prometheus.io/docs/prometheus/latest/http_sd/ has it.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discovery answers with what there is to scrape through /probe: a group for each
// target, or for each session with ?by=session. An address is the name that the target
// of Prometheus has as instance: the exporter's own address is not known here.
func (h *handler) discovery(w http.ResponseWriter, r *http.Request) {
	groupsOf, err := grouping(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cfg := h.Store.Config()
	if cfg == nil {
		http.Error(w, notLoaded, http.StatusServiceUnavailable)
		return
	}
	groups := []targetGroup{} // an empty list is [], and null an error to Prometheus
	for _, t := range cfg.Targets {
		for _, g := range groupsOf(t) {
			if v := h.Collector.Version(t.Name); v != nil {
				g.Labels[metaLabel+"version"] = v.Version.Version
			}
			groups = append(groups, g)
		}
	}
	text, err := json.Marshal(groups)
	if err != nil {
		http.Error(w, "the targets cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	contentType(w, "application/json")
	_, _ = w.Write(append(text, '\n'))
}

// grouping returns what makes the groups of a target, as a query asks for it.
func grouping(rawQuery string) (func(*config.Target) []targetGroup, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, fmt.Errorf("the parameters are malformed: %w", err)
	}
	by, given := query["by"]
	switch {
	case !given || slices.Equal(by, []string{"target"}):
		return groupOfTarget, nil
	case slices.Equal(by, []string{"session"}):
		return groupsOfSessions, nil
	default:
		return nil, errors.New("parameter by is given, but neither as target nor as session: write /sd, or /sd?by=session")
	}
}

const (
	metaLabel = "__meta_hmp_"
	// separator stands around each name of a list too, as in Prometheus' own
	// discoveries, so that a regular expression finds whole names: .*,playout,.*
	separator = ","
	// maxNames is how long the names of a target's sessions may be together, in bytes.
	maxNames = 16 << 10
)

func groupOfTarget(t *config.Target) []targetGroup {
	names := make([]string, len(t.Sessions))
	for i, s := range t.Sessions {
		names[i] = s.Name
	}
	labels := metaLabels(t, t.Sessions)
	if sessions := labelList(names); len(sessions) <= maxNames {
		labels[metaLabel+"sessions"] = sessions
	}
	return []targetGroup{{Targets: []string{t.Name}, Labels: labels}}
}

func groupsOfSessions(t *config.Target) []targetGroup {
	groups := make([]targetGroup, len(t.Sessions))
	for i, s := range t.Sessions {
		labels := metaLabels(t, t.Sessions[i:i+1])
		labels[metaLabel+"session"] = s.Name
		groups[i] = targetGroup{Targets: []string{t.Name + "/" + s.Name}, Labels: labels}
	}
	return groups
}

// metaLabels are what relabelling may go by, and the labels of the target. There is no user or password in a URL: the
// configuration does not take one.
func metaLabels(t *config.Target, sessions []*config.Session) map[string]string {
	var credentials []string
	for _, s := range sessions {
		kind := "token"
		if s.KeyMode() {
			kind = "api_key"
		}
		if !slices.Contains(credentials, kind) {
			credentials = append(credentials, kind)
		}
	}
	slices.Sort(credentials)
	labels := map[string]string{
		metaLabel + "target":        t.Name,
		metaLabel + "url":           t.URL.String(),
		metaLabel + "scheme":        t.URL.Scheme,
		metaLabel + "host":          t.URL.Hostname(),
		metaLabel + "port":          cmp.Or(t.URL.Port(), map[string]string{"http": "80", "https": "443"}[t.URL.Scheme]),
		metaLabel + "session_count": strconv.Itoa(len(sessions)),
		metaLabel + "credentials":   labelList(credentials),
	}
	maps.Copy(labels, t.Labels)
	return labels
}

// labelList puts several values into one label, as the discoveries of Prometheus do.
func labelList(names []string) string {
	return separator + strings.Join(names, separator) + separator
}
