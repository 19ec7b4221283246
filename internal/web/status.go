package web

import (
	"bytes"
	"maps"
	"net/http"
	"slices"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

// maxChoices is the maximum number of targets in the list of the filter.
const maxChoices = 200

var statusPage = parsePage("status.html")

// statusData is what the status page shows.
type statusData struct {
	pageData
	Filter  filter
	Orders  []order
	Results []string // that the filter can choose

	Sessions, Targets, Valid, NotProbed, Failing int
	Counts                                       []resultCount
	Choices                                      []string // targets; nil if they are too many
	TargetExists                                 bool     // the target of the filter

	Rows                 []collector.History
	First, Found         int // the number of the first row, and of all matching sessions
	HasPrevious, HasNext bool
}

// A resultCount is the number of sessions with a result.
type resultCount struct {
	resultInfo
	Count  int
	Chosen bool // by the filter
}

// status shows the last results of every session. It does not probe, so that an open page is
// not a scraper.
func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	all := h.Collector.Summaries()
	matching := f.apply(all)
	pages := max(1, (len(matching)+rowsPerPage-1)/rowsPerPage)
	f.Page = min(max(1, f.Page), pages)
	data := &statusData{
		pageData: h.pageData("HMP sessions"),
		Filter:   f, Orders: orders, Results: bySeverity,
		First: (f.Page-1)*rowsPerPage + 1, Found: len(matching),
		HasPrevious: f.Page > 1, HasNext: f.Page < pages,
	}
	data.count(all)
	for _, s := range matching[data.First-1 : min(data.First-1+rowsPerPage, len(matching))] {
		history, err := h.Collector.History(s.Target, s.Session)
		if err != nil {
			continue // a reload has just removed the session
		}
		history.Last.Version = h.Collector.Version(s.Target)
		data.Rows = append(data.Rows, history)
	}
	render(w, r, statusPage, data)
}

// probeAll probes all sessions.
func (h *handler) probeAll(w http.ResponseWriter, r *http.Request) {
	if h.limiter.acquire(w, probeAllPath, "") {
		defer h.limiter.release("")
		h.probeAndRedirect(w, r, "", "")
	}
}

// sessionsJSON answers with the last results of all sessions as JSON. It does not probe.
func (h *handler) sessionsJSON(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := report.WriteLast(&text, h.Collector.Last()); err != nil {
		http.Error(w, "the results cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeCompressed(w, r, "application/json", text.Bytes())
}

// Last returns the number of the last row.
func (d *statusData) Last() int { return d.First + len(d.Rows) - 1 }

// count counts all sessions.
func (d *statusData) count(all []collector.Summary) {
	counts, targets := make(map[string]int), make(map[string]bool)
	for i := range all {
		counts[report.DisplayName(all[i].ResultName)]++
		targets[all[i].Target] = true
	}
	d.Sessions, d.Targets, d.Valid, d.NotProbed = len(all), len(targets), counts[valid], counts[report.NotProbed]
	d.Failing = d.Sessions - d.Valid - d.NotProbed
	d.TargetExists = targets[d.Filter.Target]
	if len(targets) <= maxChoices {
		d.Choices = slices.Sorted(maps.Keys(targets))
	}
	for _, name := range bySeverity {
		if chosen := name == d.Filter.Result; chosen || counts[name] > 0 {
			d.Counts = append(d.Counts, resultCount{infoOf(name), counts[name], chosen})
		}
	}
}
