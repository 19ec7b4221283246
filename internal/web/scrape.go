package web

import (
	"bufio"
	"net/http"
	"slices"
	"strings"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/collector"
)

const (
	scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	// minCompressed is the number of sessions from which the answer to a scrape is compressed.
	// Fewer sessions fit into a few packets, and compression costs more than their probes.
	minCompressed = 4
)

// metrics answers with the metrics of the exporter itself and, with ProbeSessions, of all sessions.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	query, err := parseQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.limiter.acquire(w, h.TelemetryPath, "") {
		return
	}
	defer h.limiter.release("")
	e := exposition{names: query["name[]"]}
	if h.ProbeSessions {
		e.results, _ = h.runProbes(w, r, "", "") // without names there is no error
	}
	if e.own, err = h.registry.Gather(); err != nil {
		// Gather leaves out the metric that failed.
		_ = level.Error(h.Logger).Log("msg", "failed to gather the exporter's own metrics", "err", err)
	}
	h.writeMetrics(w, r, e)
}

// probe answers with the metrics of one session, or of all sessions of a target.
func (h *handler) probe(w http.ResponseWriter, r *http.Request) {
	query, target, session, err := parseTarget(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.limiter.acquire(w, probePath, target) {
		return
	}
	defer h.limiter.release(target)
	results, err := h.runProbes(w, r, target, session)
	if err != nil {
		writeUnknown(w, err)
		return
	}
	h.writeMetrics(w, r, exposition{results: results, names: query["name[]"]})
}

// runProbes probes one session, all sessions of a target, or all sessions. A probe may take
// longer than a client may take to read an answer.
func (h *handler) runProbes(w http.ResponseWriter, r *http.Request, target, session string) ([]collector.Result, error) {
	stopWriteTimeout(w)
	defer startWriteTimeout(w)
	return h.Collector.Probe(collector.Request{
		Target: target, Session: session, ScrapeTimeout: r.Header.Get(scrapeTimeoutHeader),
	})
}

// An exposition is the content of an answer to a scrape.
type exposition struct {
	own     []*dto.MetricFamily // of the exporter itself
	results []collector.Result
	names   []string // of the metrics to write; nil for all
}

// writeMetrics answers a scrape in the format that the scraper prefers.
func (h *handler) writeMetrics(w http.ResponseWriter, r *http.Request, e exposition) {
	f := h.negotiate(r)
	w.Header().Set("Content-Type", string(f.Format))
	w.Header().Add("Vary", "Accept")
	compress := e.own != nil || len(e.results) >= minCompressed
	if err := writeBody(w, r, compress, func(out *bufio.Writer) error { return e.encode(out, f) }); err != nil {
		_ = level.Debug(h.Logger).Log("msg", "a scraper did not take its answer", "err", err)
	}
}

// A negotiated is a format of the metrics that a scraper asked for.
type negotiated struct {
	expfmt.Format
	accept      string // the header that it comes from
	openMetrics bool
	text        bool // OpenMetrics or the older text format
}

// negotiate returns the format that a scraper prefers. It remembers the last one, because
// scrapers send the same header each time.
func (h *handler) negotiate(r *http.Request) *negotiated {
	accept := r.Header.Get("Accept")
	if last := h.lastFormat.Load(); last != nil && last.accept == accept {
		return last
	}
	f := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	openMetrics := f.FormatType() == expfmt.TypeOpenMetrics
	next := &negotiated{f, accept, openMetrics, openMetrics || f.FormatType() == expfmt.TypeTextPlain}
	h.lastFormat.Store(next)
	return next
}

// encode writes an exposition. [collector.WriteText] is faster than package expfmt, but it
// writes only text, and all metrics of the results.
func (e exposition) encode(out *bufio.Writer, f *negotiated) error {
	families := e.own
	if f.openMetrics {
		untypeClashes(families)
	}
	writeText := f.text && e.names == nil
	if !writeText {
		families = slices.Concat(families, collector.Families(e.results))
	}
	if len(families) > 0 {
		encoder := expfmt.NewEncoder(out, f.Format)
		for _, family := range families {
			if e.names != nil && !slices.Contains(e.names, family.GetName()) {
				continue
			}
			if err := encoder.Encode(family); err != nil {
				return err
			}
		}
	}
	if writeText {
		collector.WriteText(out, e.results, f.openMetrics)
	}
	if f.openMetrics {
		_, _ = expfmt.FinalizeOpenMetrics(out)
	}
	return nil
}

// untypeClashes makes a counter untyped if its family has the name of another family. In
// OpenMetrics, go_memstats_alloc_bytes_total would be the family go_memstats_alloc_bytes, which
// is a gauge.
func untypeClashes(families []*dto.MetricFamily) {
	for _, f := range families {
		name, isCounter := strings.CutSuffix(f.GetName(), "_total")
		if !isCounter || !slices.ContainsFunc(families, func(other *dto.MetricFamily) bool { return other.GetName() == name }) {
			continue
		}
		f.Type = dto.MetricType_UNTYPED.Enum()
		for _, m := range f.Metric {
			m.Untyped, m.Counter = &dto.Untyped{Value: m.Counter.Value}, nil
		}
	}
}
