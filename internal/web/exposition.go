package web

import (
	"bufio"
	"cmp"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/collector"
)

// minCompressed is how many sessions it takes to make compression worth its cost,
// which is more than that of a probe: fewer fit into some packets.
const minCompressed = 4

// An exposition is what a scrape is answered with.
type exposition struct {
	results []collector.Result
	own     bool // with the metrics of the exporter itself
}

func (e *exposition) compress() bool { return e.own || len(e.results) >= minCompressed }

// writeMetrics answers a scrape in the format that the scraper wants most. It writes the
// exposition as it is made, and in one piece if it is a small one.
func (h *handler) writeMetrics(w http.ResponseWriter, r *http.Request, e exposition) {
	format := h.negotiate(r)
	header := w.Header()
	header.Set("Content-Type", string(format.Format))
	header.Add("Vary", "Accept")
	var to io.Writer = w
	if e.compress() {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			header.Set("Content-Encoding", "gzip")
			z := gzips.Get().(*gzip.Writer)
			z.Reset(w)
			defer func() {
				_ = z.Close() // who does not read on knows
				z.Reset(nil)
				gzips.Put(z)
			}()
			to = z
		}
	}
	out := texts.Get().(*bufio.Writer)
	out.Reset(to)
	defer func() {
		out.Reset(nil)
		texts.Put(out)
	}()

	err := h.encode(out, format, r.URL.Query()["name[]"], e)
	if to == w { // of no effect if a part has been sent
		header.Set("Content-Length", strconv.Itoa(out.Buffered()))
	}
	if hungUp := out.Flush(); hungUp != nil {
		_ = level.Debug(h.Logger).Log("msg", "a scraper did not take its answer", "err", hungUp)
	} else if err != nil {
		_ = level.Error(h.Logger).Log("msg", "failed to encode metrics", "err", err)
	}
}

// A negotiated format is what a header Accept comes to.
type negotiated struct {
	expfmt.Format
	accept      string
	openMetrics bool
	text        bool // [collector.WriteText] writes it
}

// negotiate returns the format that a request wants most. Scrapers want the same each
// time.
func (h *handler) negotiate(r *http.Request) *negotiated {
	accept := r.Header.Get("Accept")
	if last := h.lastFormat.Load(); last != nil && last.accept == accept {
		return last
	}
	f := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	kind := f.FormatType()
	n := &negotiated{
		Format:      f,
		accept:      accept,
		openMetrics: kind == expfmt.TypeOpenMetrics,
		text:        kind == expfmt.TypeOpenMetrics || kind == expfmt.TypeTextPlain,
	}
	h.lastFormat.Store(n)
	return n
}

// encode writes the exporter's own metrics, if they are wanted, and those of the results:
// all of them, or those with the given names.
func (h *handler) encode(out *bufio.Writer, format *negotiated, names []string, e exposition) error {
	var families []*dto.MetricFamily
	if e.own {
		var err error
		if families, err = h.registry.Gather(); err != nil {
			// An own metric that cannot be had is left out; the others are answered.
			_ = level.Error(h.Logger).Log("msg", "failed to gather the exporter's own metrics", "err", err)
		}
		if format.openMetrics {
			untypeClashes(families)
		}
	}
	direct := format.text && names == nil
	if !direct {
		families = slices.Concat(families, collector.Families(e.results))
	}
	if len(families) > 0 {
		encoder := expfmt.NewEncoder(out, format.Format)
		for _, f := range families {
			if names != nil && !slices.Contains(names, f.GetName()) {
				continue
			}
			if err := encoder.Encode(f); err != nil {
				return err
			}
		}
	}
	if direct {
		collector.WriteText(out, e.results, format.openMetrics)
	}
	if !format.openMetrics {
		return nil
	}
	_, err := expfmt.FinalizeOpenMetrics(out)
	return err
}

// untypeClashes takes the type from counters whose family would have the name of another one.
// In OpenMetrics, the family of a counter is named without _total, so that
// go_memstats_alloc_bytes and go_memstats_alloc_bytes_total are one family of two types.
func untypeClashes(families []*dto.MetricFamily) {
	for _, f := range families {
		name, counts := strings.CutSuffix(f.GetName(), "_total")
		if !counts || !slices.ContainsFunc(families, func(other *dto.MetricFamily) bool { return other.GetName() == name }) {
			continue
		}
		f.Type = dto.MetricType_UNTYPED.Enum()
		for _, m := range f.Metric {
			m.Untyped, m.Counter = &dto.Untyped{Value: m.Counter.Value}, nil
		}
	}
}

func acceptsGzip(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := mime.ParseMediaType(accepted) // which has the same form
		if quality, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64); coding == "gzip" && err == nil && quality > 0 {
			return true
		}
	}
	return false
}

// What expositions are written through.
var (
	texts = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 32<<10) }}
	gzips = sync.Pool{New: func() any {
		// Expositions repeat themselves: to look for more costs a lot and brings little.
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // there is such a level
		return z
	}}
)
