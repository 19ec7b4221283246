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

// TestDeafScraper is that a scraper which does not take its answer is worth one debug message,
// in every format, and that the next one gets all of its own.
func TestDeafScraper(t *testing.T) {
	for _, accept := range []string{"", prometheusAccept, nativeAccept} {
		for _, encoding := range []string{"", "gzip"} {
			for _, path := range []string{"/metrics", "/probe?target=studio", "/metrics?name[]=hmp_session_valid"} {
				logged := canary.NewLog(t)
				handler := handlerOf(t, &fake{results: someResults(1)}, func(o *Options) { o.Logger = log.NewLogfmtLogger(logged) })
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header.Set("Accept", accept)
				req.Header.Set("Accept-Encoding", encoding)
				handler.ServeHTTP(deaf{httptest.NewRecorder()}, req)
				if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "level=debug ") || !strings.Contains(text, "gone away") {
					t.Errorf("%s, %q, %q: the log is %q", path, accept, encoding, text)
				}

				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/probe?target=studio", nil))
				if text := w.Body.String(); !strings.HasPrefix(text, "# HELP hmp_") || strings.Count(text, "\nhmp_session_valid{") != 1 {
					t.Errorf("the next answer is %.300s", text)
				}
			}
		}
	}
}

// TestOddEncodings is that no Accept-Encoding is worth a line in the log, and that each gets
// an answer that it can read: compressed with gzip, or not at all.
func TestOddEncodings(t *testing.T) {
	logged := canary.NewLog(t)
	handler := handlerOf(t, &fake{results: someResults(10)}, func(o *Options) { o.Logger = log.NewLogfmtLogger(logged) })
	var odd []string
	for _, coding := range []string{"", "*", "identity", "gzip", "GZIP", "x-gzip", "zstd", "br", "deflate", "nonsense", "gz ip", "\xff", "gzip\tzstd"} {
		for _, quality := range []string{"", ";q=0", ";q=0.5", ";q=-1", ";q=NaN", ";q=x"} {
			odd = append(odd, coding+quality, coding+quality+", identity;q=0", "identity;q=0, *;q=0, "+coding+quality)
		}
	}
	odd = append(odd, strings.Repeat("gzip;q=0,", 5000), strings.Repeat(",", 50_000), strings.Repeat("a", 60_000))
	for _, encoding := range odd {
		for _, accept := range []string{prometheusAccept, nativeAccept} {
			for _, path := range []string{"/metrics", "/probe?target=studio&name[]=hmp_up", "/"} {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header.Set("Accept", accept)
				req.Header["Accept-Encoding"] = []string{encoding}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, req)
				if got := w.Header().Get("Content-Encoding"); w.Code != http.StatusOK || got != "" && (got != "gzip" || !strings.Contains(strings.ToLower(encoding), "gzip")) {
					t.Errorf("%s, %.100q: status %d, Content-Encoding %q", path, encoding, w.Code, got)
				}
			}
		}
	}
	if logged.String() != "" {
		t.Errorf("%d requests left this in the log: %.1000s", 6*len(odd), logged)
	}
}
