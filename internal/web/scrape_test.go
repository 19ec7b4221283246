package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
)

const (
	// prometheusAccept is what Prometheus 3 sends by default.
	prometheusAccept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
		"application/openmetrics-text;version=0.0.1;q=0.5," +
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	// nativeAccept is what it sends with native histograms.
	nativeAccept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," + prometheusAccept

	plainType   = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
	protobuf    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping="
)

// TestProbe is that /probe has the named sessions, and nothing of the exporter itself.
func TestProbe(t *testing.T) {
	e := newExporter(t, threeSessions)
	for query, want := range map[string][]string{
		"target=studio":                         {`hmp_session_valid{session="archive",target="studio"}`, `hmp_session_valid{session="playout",target="studio"}`},
		"target=studio&session=playout":         {`hmp_session_valid{session="playout",target="studio"}`},
		"session=relay&target=tower":            {`hmp_session_valid{session="relay",target="tower"}`},
		"target=%73tudio&session=play%6Fut":     {`hmp_session_valid{session="playout",target="studio"}`},
		"target=tower&name[]=hmp_up":            nil,
		"target=tower&name[]=hmp_session_valid": {`hmp_session_valid{session="relay",target="tower"}`},
	} {
		before := e.probes()
		got := e.get("/probe?" + query)
		if diff := cmp.Diff(want, got.series(t, "hmp_session_valid")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
		if own := slices.Concat(got.series(t, "hmp_exporter_"), got.series(t, "go_")); len(own) > 0 {
			t.Errorf("%s has %q", query, own)
		}
		if n := e.probes() - before; n != max(1, len(want)) {
			t.Errorf("%s: the HMP had %d requests", query, n)
		}
	}
}

// TestMetrics is that the telemetry path has metrics of the exporter itself and, unless it is
// told otherwise, the same series of sessions as /probe.
func TestMetrics(t *testing.T) {
	e := newExporter(t, threeSessions)
	got := e.get("/metrics")
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "promhttp_metric_handler_requests_total", "hmp_exporter_build_info", "hmp_exporter_scrapes_refused_total"} {
		got.want(t, http.StatusOK, "\n# TYPE "+name+" ")
	}
	want := append(e.get("/probe?target=studio").series(t, "hmp_"), e.get("/probe?target=tower").series(t, "hmp_")...)
	slices.Sort(want)
	series := slices.DeleteFunc(e.get("/metrics").series(t, "hmp_"), func(s string) bool { return strings.HasPrefix(s, "hmp_exporter_") })
	if diff := cmp.Diff(want, series); diff != "" {
		t.Errorf("series (-/probe +/metrics):\n%s", diff)
	}

	e = newExporter(t, threeSessions, func(o *Options) { o.ProbeSessions = false })
	e.get("/metrics").want(t, http.StatusOK, "\nhmp_exporter_build_info{")
	if n := e.probes(); n != 0 {
		t.Errorf("without sessions there are %d probes", n)
	}
}

// TestScrapeTimeout is that the collector hears for how long the scraper waits.
func TestScrapeTimeout(t *testing.T) {
	f := &fake{results: validResults(1)}
	for _, path := range []string{"/metrics", "/probe?target=studio"} {
		serve(t, newHandler(t, f), http.MethodGet, path, scrapeTimeoutHeader, "2.25")
	}
	want := []collector.Request{{ScrapeTimeout: "2.25"}, {Target: "studio", ScrapeTimeout: "2.25"}}
	if diff := cmp.Diff(want, f.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestFormats is the format for each scraper. All formats have the same series, also for one
// scraper after another.
func TestFormats(t *testing.T) {
	e := newExporter(t, threeSessions)
	for _, path := range []string{"/metrics", "/probe?target=studio"} {
		want := e.get(path).series(t, "hmp_session_")
		for accept, contentType := range map[string]string{
			"":                                      plainType,
			"text/html,application/xhtml+xml;q=0.9": plainType,
			";;;,/":                                 plainType,
			"text/plain;version=1.0.0":              plainType,
			"application/openmetrics-text;version=0.0.1":               "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores",
			"application/openmetrics-text;version=1.0.0;escaping=dots": openMetrics + "dots",
			prometheusAccept: openMetrics + "allow-utf-8",
			nativeAccept:     protobuf + "underscores",
		} {
			got := e.get(path, "Accept", accept)
			if kind := got.header.Get("Content-Type"); kind != contentType || !slices.Contains(got.header.Values("Vary"), "Accept") {
				t.Errorf("%s, Accept %q: Content-Type %q, want %q; Vary %q", path, accept, kind, contentType, got.header.Values("Vary"))
			}
			if diff := cmp.Diff(want, got.series(t, "hmp_session_")); diff != "" {
				t.Errorf("%s, Accept %q: series (-plain +negotiated):\n%s", path, accept, diff)
			}
			if strings.HasPrefix(contentType, "application/openmetrics-text") != strings.HasSuffix(got.body, "\n# EOF\n") {
				t.Errorf("%s, Accept %q: the end is %q", path, accept, got.body[max(0, len(got.body)-20):])
			}
			families := make(map[string]bool) // in OpenMetrics, two names can be one family
			for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(got.body, -1) {
				if families[m[1]] {
					t.Errorf("%s, Accept %q: two families have the name %s", path, accept, m[1])
				}
				families[m[1]] = true
			}
		}
		problems, err := promlint.New(strings.NewReader(e.get(path).body)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v", path, problems, err)
		}
	}
}

// TestCompression is that answers are compressed if the client accepts gzip. An answer of few
// sessions is not, and comes in one piece.
func TestCompression(t *testing.T) {
	few, many := newHandler(t, &fake{results: validResults(2)}), newHandler(t, &fake{results: validResults(10)})
	for accept, want := range map[string]string{
		"gzip": "gzip", "zstd, br;q=0.9, gzip;q=0.1": "gzip", "GZIP;q=0.5": "gzip", "identity;q=0, gzip": "gzip",
		"": "", "identity": "", "gzip;q=0": "", "gzip;q=x, ;;,": "", "gzip;q=-1": "", "gzip;q=NaN": "", "x-gzip": "", "\xff": "", strings.Repeat(",", 50_000): "",
	} {
		for _, path := range []string{"/metrics", "/probe?target=studio", "/", "/sessions.json"} {
			got := serve(t, many, http.MethodGet, path, "Accept-Encoding", accept, "Accept", prometheusAccept)
			got.want(t, http.StatusOK)
			if encoding := got.header.Get("Content-Encoding"); encoding != want || !slices.Contains(got.header.Values("Vary"), "Accept-Encoding") {
				t.Errorf("%s, %.40q: Content-Encoding %q, want %q; Vary %q", path, accept, encoding, want, got.header.Values("Vary"))
			}
		}
		got := serve(t, few, http.MethodGet, "/probe?target=studio", "Accept-Encoding", accept)
		if length := got.header.Get("Content-Length"); length != strconv.Itoa(len(got.body)) || got.header.Get("Content-Encoding") != "" {
			t.Errorf("%.40q: Content-Length %q of %d bytes, header %v", accept, length, len(got.body), got.header)
		}
	}
}

// A gone scraper does not take its answer.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("gone away") }

// TestGoneScraper is that a scraper that does not take its answer costs one debug message, and
// that the next scraper gets its whole answer.
func TestGoneScraper(t *testing.T) {
	for _, path := range []string{"/metrics", "/probe?target=studio", "/metrics?name[]=hmp_session_valid"} {
		for _, encoding := range []string{"", "gzip"} {
			logged := canary.NewLog(t)
			handler := newHandler(t, &fake{results: validResults(1)}, logTo(logged))
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.Header.Set("Accept-Encoding", encoding)
			handler.ServeHTTP(gone{httptest.NewRecorder()}, req)
			if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "level=debug ") || !strings.Contains(text, "gone away") {
				t.Errorf("%s, %q: the log is %q", path, encoding, text)
			}
			next := serve(t, handler, http.MethodGet, "/probe?target=studio")
			if !strings.HasPrefix(next.body, "# HELP hmp_") || strings.Count(next.body, "\nhmp_session_valid{") != 1 {
				t.Errorf("the next answer is %.300s", next.body)
			}
		}
	}
}
