package web

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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

func (e *exposition) worthCompressing() bool { return e.own || len(e.results) >= minCompressed }

// expose answers a scrape in the format that the scraper wants most. A metric of its
// own that cannot be had is better left out than a reason to answer nothing.
func (h *handler) expose(w http.ResponseWriter, r *http.Request, e exposition) {
	var own []*dto.MetricFamily
	if e.own {
		var err error
		if own, err = h.own.Gather(); err != nil {
			errorLog{h.Logger}.Println("error gathering metrics:", err)
		}
	}
	if format := h.negotiate(r); format.direct && !r.URL.Query().Has("name[]") {
		h.writeText(w, r, format, own, e)
		return
	}
	promhttp.HandlerFor(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return slices.Concat(own, collector.Families(e.results)), nil
	}), promhttp.HandlerOpts{
		ErrorLog:           errorLog{h.Logger},
		EnableOpenMetrics:  true,
		DisableCompression: !e.worthCompressing(),
	}).ServeHTTP(w, r)
}

// A negotiated format is what a header Accept comes to.
type negotiated struct {
	expfmt.Format
	accept      string
	openMetrics bool
	direct      bool // [collector.WriteText] writes it
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
		direct:      kind == expfmt.TypeOpenMetrics || kind == expfmt.TypeTextPlain,
	}
	h.lastFormat.Store(n)
	return n
}

// writeText writes an exposition as it is made, and in one piece if it is a small one.
func (h *handler) writeText(w http.ResponseWriter, r *http.Request, format *negotiated, own []*dto.MetricFamily, e exposition) {
	header := w.Header()
	header.Set("Content-Type", string(format.Format))
	header.Add("Vary", "Accept")
	var to io.Writer = w
	if e.worthCompressing() {
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

	err := encode(out, format, own, e.results)
	if to == w { // of no effect if a part has been sent
		header.Set("Content-Length", strconv.Itoa(out.Buffered()))
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		errorLog{h.Logger}.Println("error encoding and sending metrics:", err)
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

// encode writes families, and what results come to.
func encode(out *bufio.Writer, format *negotiated, families []*dto.MetricFamily, results []collector.Result) error {
	if len(families) > 0 {
		encoder := expfmt.NewEncoder(out, format.Format)
		for _, f := range families {
			if err := encoder.Encode(f); err != nil {
				return err
			}
		}
	}
	collector.WriteText(out, results, format.openMetrics)
	if !format.openMetrics {
		return nil
	}
	_, err := expfmt.FinalizeOpenMetrics(out)
	return err
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

type errorLog struct{ log.Logger }

func (l errorLog) Println(v ...any) {
	_ = level.Error(l).Log("msg", "failed to write metrics", "err", strings.TrimSpace(fmt.Sprintln(v...)))
}
