package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hmp_exporter/internal/canary"
)

// TestEscaping asks for names in other forms, which those here do not need.
func TestEscaping(t *testing.T) {
	r := newRig(t, fleet)
	for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		for _, path := range []string{"/metrics", "/probe?target=tower"} {
			got := r.get(path, "Accept", "application/openmetrics-text;version=1.0.0;escaping="+escaping)
			got.want(t, http.StatusOK, "\n"+`hmp_up{session="relay",target="tower"} 1`)
			if contentType := got.header.Get("Content-Type"); contentType != openMetrics+escaping {
				t.Errorf("Content-Type %q, want escaping=%s", contentType, escaping)
			}
		}
	}
}

// TestOnePiece is that the answer to a scrape of few sessions comes with its length,
// so that it takes no chunks.
func TestOnePiece(t *testing.T) {
	r := newRig(t, fleet)
	for _, accept := range []string{"", prometheusAccept} {
		got := r.get("/probe?target=studio", "Accept", accept, "Accept-Encoding", "gzip")
		if length := got.header.Get("Content-Length"); length != strconv.Itoa(len(got.body)) {
			t.Errorf("Accept %q: Content-Length %q of %d bytes", accept, length, len(got.body))
		}
		if vary := got.header.Values("Vary"); !slices.Contains(vary, "Accept") {
			t.Errorf("Accept %q: Vary %q", accept, vary)
		}
	}
}

// TestFormatsInTurn has scrapers ask for different formats, one after the other: what
// was negotiated with one is not for the next.
func TestFormatsInTurn(t *testing.T) {
	r := newRig(t, fleet)
	for range 2 {
		for accept, contentType := range map[string]string{
			"":               plainType,
			prometheusAccept: openMetrics + "allow-utf-8",
			nativeAccept:     protobuf + "underscores",
		} {
			if got := r.get("/probe?target=studio", "Accept", accept).header.Get("Content-Type"); got != contentType {
				t.Errorf("Accept %q: Content-Type %q, want %q", accept, got, contentType)
			}
		}
	}
}

// TestScrapeTakesLittleMemory is that what is made for a scrape is what is sent: no
// handler, no registry, no families.
func TestScrapeTakesLittleMemory(t *testing.T) {
	handler := handlerOf(t, &fake{results: someResults(1)})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?target=studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", prometheusAccept)
	allocations := testing.AllocsPerRun(100, func() {
		handler.ServeHTTP(&discard{header: make(http.Header)}, req)
	})
	if allocations > 60 { // some thirty, and a hundred and more by way of families
		t.Errorf("%.0f allocations for a scrape", allocations)
	}
}

// An invalid collector has a metric that cannot be had.
type invalid struct{ *prometheus.Desc }

func (b invalid) Describe(d chan<- *prometheus.Desc) { d <- b.Desc }

func (b invalid) Collect(m chan<- prometheus.Metric) {
	m <- prometheus.NewInvalidMetric(b.Desc, errors.New("out of order"))
}

// TestBrokenOwnMetric is that a metric of the exporter that cannot be had costs neither
// the others nor the sessions, and is told of in the log.
func TestBrokenOwnMetric(t *testing.T) {
	logged := canary.NewLog(t)
	handler := handlerOf(t, &fake{results: someResults(1), own: invalid{prometheus.NewDesc("broken", "", nil, nil)}},
		func(o *Options) { o.Logger = log.NewLogfmtLogger(logged) })
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"\ngo_goroutines ", `hmp_session_valid{session="playout",target="studio"} 1`} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("status %d without %s:\n%.300s", w.Code, want, w.Body)
		}
	}
	if !strings.Contains(logged.String(), "out of order") {
		t.Errorf("the log is %q", logged)
	}
}

// A deaf scraper does not take its answer.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("gone away") }

// TestDeafScraper is that who does not take the answer is told of once, and that the
// next one gets all of its own.
func TestDeafScraper(t *testing.T) {
	logged := canary.NewLog(t)
	handler := handlerOf(t, &fake{results: someResults(1)}, func(o *Options) { o.Logger = log.NewLogfmtLogger(logged) })
	for _, encoding := range []string{"", "gzip"} {
		req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		req.Header.Set("Accept-Encoding", encoding)
		handler.ServeHTTP(deaf{httptest.NewRecorder()}, req)

		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/probe?target=studio", nil))
		if text := w.Body.String(); !strings.HasPrefix(text, "# HELP hmp_") || strings.Count(text, "\nhmp_session_valid{") != 1 {
			t.Errorf("the next answer is %.300s", text)
		}
	}
	if n := strings.Count(logged.String(), "gone away"); n < 1 || n > 2 {
		t.Errorf("it is told of %d times:\n%s", n, logged)
	}
}
