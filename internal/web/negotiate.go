package web

import (
	"cmp"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
)

// A format is the result of a negotiation.
type format struct {
	expfmt.Format
	accept      string // the header that it comes from
	openMetrics bool
	text        bool // [collector.WriteText] can write it
}

// negotiate returns the format that a scraper prefers. It remembers the last one, because
// scrapers send the same header each time.
func (h *handler) negotiate(r *http.Request) *format {
	accept := r.Header.Get("Accept")
	if last := h.lastFormat.Load(); last != nil && last.accept == accept {
		return last
	}
	f := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	openMetrics := f.FormatType() == expfmt.TypeOpenMetrics
	next := &format{f, accept, openMetrics, openMetrics || f.FormatType() == expfmt.TypeTextPlain}
	h.lastFormat.Store(next)
	return next
}

func acceptsGzip(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := mime.ParseMediaType(accepted) // a coding has the form of a media type
		if quality, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64); coding == "gzip" && err == nil && quality > 0 {
			return true
		}
	}
	return false
}
