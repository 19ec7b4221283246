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

// minCompressed is the number of sessions from which the answer to a scrape is compressed.
// Fewer sessions fit into some packets, and compression costs more than their probes.
const minCompressed = 4

// An exposition is the content of an answer to a scrape.
type exposition struct {
	results []collector.Result
	self    bool     // with the metrics of the exporter itself
	names   []string // of the metrics to write; nil for all
}

// writeMetrics answers a scrape in the format that the scraper prefers.
func (h *handler) writeMetrics(w http.ResponseWriter, r *http.Request, e exposition) {
	f := h.negotiate(r)
	w.Header().Set("Content-Type", string(f.Format))
	w.Header().Add("Vary", "Accept")
	var encodeErr error
	writeErr := writeBody(w, r, e.self || len(e.results) >= minCompressed, func(out *bufio.Writer) {
		encodeErr = h.encode(out, f, e)
	})
	if writeErr != nil {
		_ = level.Debug(h.Logger).Log("msg", "a scraper did not take its answer", "err", writeErr)
	} else if encodeErr != nil {
		_ = level.Error(h.Logger).Log("msg", "failed to encode metrics", "err", encodeErr)
	}
}

// encode writes an exposition. An error of writing stays in out.
func (h *handler) encode(out *bufio.Writer, f *format, e exposition) error {
	var families []*dto.MetricFamily
	if e.self {
		var err error
		if families, err = h.registry.Gather(); err != nil {
			// Gather leaves out the metric that failed.
			_ = level.Error(h.Logger).Log("msg", "failed to gather the exporter's own metrics", "err", err)
		}
		if f.openMetrics {
			untypeClashes(families)
		}
	}
	asText := f.text && e.names == nil
	if !asText {
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
	if asText {
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
