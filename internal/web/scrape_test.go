package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
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
		for name := range got.families(t) {
			if !strings.HasPrefix(name, "hmp_") || strings.HasPrefix(name, "hmp_exporter_") {
				t.Errorf("%s has %s", query, name)
			}
		}
		if n := e.probes() - before; n != max(1, len(want)) {
			t.Errorf("%s: the HMP had %d requests", query, n)
		}
	}
}

// TestMetrics is that the telemetry path has metrics of the exporter itself and, unless it is
// told otherwise, the same series of sessions as /probe.
func TestMetrics(t *testing.T) {
	for _, sessions := range []bool{true, false} {
		e := newExporter(t, threeSessions, func(o *Options) { o.ProbeSessions = sessions })
		e.get("/metrics")
		probed := e.probes()
		got := e.get("/metrics")
		for _, name := range []string{
			"go_goroutines", "process_cpu_seconds_total", "process_open_fds", "promhttp_metric_handler_requests_total",
			"hmp_exporter_build_info", "hmp_exporter_coalesced_probes_total",
			"hmp_exporter_config_last_reload_success_timestamp_seconds", "hmp_exporter_config_last_reload_successful",
			"hmp_exporter_probe_duration_seconds", "hmp_exporter_probe_panics_total", "hmp_exporter_probes_in_flight",
			"hmp_exporter_scrapes_refused_total",
		} {
			if got.families(t)[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
		series := slices.DeleteFunc(got.series(t, "hmp_"), func(s string) bool { return strings.HasPrefix(s, "hmp_exporter_") })
		var want []string
		if sessions {
			want = slices.Sorted(slices.Values(append(e.get("/probe?target=studio").series(t, "hmp_"), e.get("/probe?target=tower").series(t, "hmp_")...)))
		}
		if diff := cmp.Diff(want, series, cmpopts.EquateEmpty()); diff != "" || sessions && len(series) < 100 || !sessions && probed > 0 {
			t.Errorf("probing sessions %t, %d requests: series (-/probe +/metrics):\n%s", sessions, probed, diff)
		}
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
// scraper after another. Texts pass a strict parser.
func TestFormats(t *testing.T) {
	e := newExporter(t, threeSessions)
	e.get("/metrics")
	for _, path := range []string{"/metrics", "/probe?target=studio", "/probe?target=studio&session=archive"} {
		want := e.get(path).series(t, "hmp_")
		for accept, contentType := range map[string]string{
			"":                                      plainType,
			"*/*":                                   plainType,
			"text/html,application/xhtml+xml;q=0.9": plainType,
			";;;,/":                                 plainType,
			"text/plain;version=1.0.0":              plainType,
			"application/openmetrics-text;version=0.0.1":               "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores",
			"application/openmetrics-text;version=1.0.0":               openMetrics + "underscores",
			"application/openmetrics-text;version=1.0.0;escaping=dots": openMetrics + "dots",
			prometheusAccept: openMetrics + "allow-utf-8",
			nativeAccept:     protobuf + "underscores",
		} {
			got := e.get(path, "Accept", accept)
			if diff := cmp.Diff(contentType, got.header.Get("Content-Type")); diff != "" {
				t.Errorf("%s, Accept %q: Content-Type (-want +got):\n%s", path, accept, diff)
			}
			if diff := cmp.Diff(want, got.series(t, "hmp_")); diff != "" {
				t.Errorf("%s, Accept %q: series (-plain +negotiated):\n%s", path, accept, diff)
			}
			if !slices.Contains(got.header.Values("Vary"), "Accept") {
				t.Errorf("%s: Vary %q", path, got.header.Values("Vary"))
			}
			if contentType == protobuf+"underscores" {
				continue
			}
			for _, problem := range strictly(got.body, strings.HasPrefix(contentType, "application/openmetrics-text")) {
				t.Errorf("%s, Accept %q: %s", path, accept, problem)
			}
		}
		problems, err := promlint.New(strings.NewReader(e.get(path).body)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v", path, problems, err)
		}
	}
	histogram := e.get("/metrics", "Accept", nativeAccept).families(t)["hmp_exporter_probe_duration_seconds"].Metric[0].Histogram
	if len(histogram.GetPositiveSpan()) == 0 || histogram.Schema == nil || len(histogram.GetBucket()) == 0 {
		t.Error("the histogram is not both native and classic")
	}
}

// strictly returns what a strict parser objects to: a name of a family or sample that is there
// twice, or a sample that is not below its family.
func strictly(text string, openMetrics bool) (problems []string) {
	suffixes := map[string][]string{
		"gauge": {""}, "counter": {"_total", "_created"}, "unknown": {""}, "untyped": {""},
		"summary": {"", "_sum", "_count", "_created"}, "histogram": {"_bucket", "_sum", "_count", "_created"},
	}
	if !openMetrics {
		suffixes["counter"] = []string{""}
	}
	names, samples := make(map[string]bool), make(map[string]bool)
	var family, last string
	var allowed []string
	for line := range strings.Lines(text) {
		last = strings.TrimSuffix(line, "\n")
		words := strings.SplitN(last, " ", 4)
		switch {
		case strings.HasPrefix(last, "# TYPE "):
			family, allowed = words[2], suffixes[words[3]]
			for _, suffix := range slices.Concat([]string{" is a family"}, allowed) {
				if names[family+suffix] {
					problems = append(problems, "twice: "+last)
				}
				names[family+suffix] = true
			}
		case strings.HasPrefix(last, "# "):
		default:
			name, _, _ := strings.Cut(words[0], "{")
			suffix, below := strings.CutPrefix(name, family)
			sample := last[:strings.LastIndexByte(last, ' ')]
			if !below || !slices.Contains(allowed, suffix) || samples[sample] {
				problems = append(problems, "twice, or not of the family "+family+": "+last)
			}
			samples[sample] = true
		}
	}
	if openMetrics != (last == "# EOF") {
		problems = append(problems, "the end is "+last)
	}
	return problems
}

// TestCompression is which answers are compressed: only with gzip, only if the client accepts
// it, and not those with few sessions, which come in one piece. No header is worth a log line.
func TestCompression(t *testing.T) {
	logged := canary.NewLog(t)
	few, many := newHandler(t, &fake{results: validResults(2)}, logTo(logged)), newHandler(t, &fake{results: validResults(10)}, logTo(logged))
	for accept, want := range map[string]string{
		"gzip": "gzip", "zstd, br;q=0.9, gzip;q=0.1": "gzip", "GZIP;q=0.5": "gzip", "identity;q=0, gzip": "gzip",
		"": "", "identity": "", "gzip;q=0": "", "gzip;q=x, ;;,": "", "gzip;q=-1": "", "gzip;q=NaN": "", "br": "", "x-gzip": "", "gz ip": "", "\xff": "", "*": "",
		strings.Repeat("gzip;q=0,", 5000): "", strings.Repeat(",", 50_000): "", strings.Repeat("a", 60_000): "",
	} {
		for _, path := range []string{"/metrics", "/probe?target=studio", "/probe?target=studio&name[]=hmp_up", "/", "/sessions.json"} {
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
	if logged.String() != "" {
		t.Errorf("the log has %.500s", logged)
	}
}

// An invalid collector has a metric that fails.
type invalid struct{ *prometheus.Desc }

func (b invalid) Describe(d chan<- *prometheus.Desc) { d <- b.Desc }

func (b invalid) Collect(m chan<- prometheus.Metric) {
	m <- prometheus.NewInvalidMetric(b.Desc, errors.New("out of order"))
}

// TestBrokenOwnMetric is that a metric of the exporter that fails leaves all other metrics.
func TestBrokenOwnMetric(t *testing.T) {
	logged := canary.NewLog(t)
	f := &fake{results: validResults(1), own: invalid{prometheus.NewDesc("broken", "", nil, nil)}}
	serve(t, newHandler(t, f, logTo(logged)), http.MethodGet, "/metrics").want(t, http.StatusOK, "\ngo_goroutines ", playout)
	if !strings.Contains(logged.String(), "out of order") {
		t.Errorf("the log is %q", logged)
	}
}

// A gone scraper does not take its answer.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("gone away") }

// TestGoneScraper is that a scraper that does not take its answer costs one debug message, and
// that the next scraper gets its whole answer.
func TestGoneScraper(t *testing.T) {
	for _, accept := range []string{"", prometheusAccept, nativeAccept} {
		for _, encoding := range []string{"", "gzip"} {
			for _, path := range []string{"/metrics", "/probe?target=studio", "/metrics?name[]=hmp_session_valid"} {
				logged := canary.NewLog(t)
				handler := newHandler(t, &fake{results: validResults(1)}, logTo(logged))
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header = http.Header{"Accept": {accept}, "Accept-Encoding": {encoding}}
				handler.ServeHTTP(gone{httptest.NewRecorder()}, req)
				if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "level=debug ") || !strings.Contains(text, "gone away") {
					t.Errorf("%s, %q, %q: the log is %q", path, accept, encoding, text)
				}
				next := serve(t, handler, http.MethodGet, "/probe?target=studio")
				if !strings.HasPrefix(next.body, "# HELP hmp_") || strings.Count(next.body, "\nhmp_session_valid{") != 1 {
					t.Errorf("the next answer is %.300s", next.body)
				}
			}
		}
	}
}

// TestProbeParameters is what a request is told that names no configured session.
func TestProbeParameters(t *testing.T) {
	e := newExporter(t, threeSessions)
	long := strings.Repeat("a", 100<<10)
	const hint = ": only what is configured can be probed; /config shows it\n"
	for query, want := range map[string]string{
		"":                                      "parameter target is missing: name a configured target, as in /probe?target=studio\n",
		"session=playout":                       "parameter target is missing: name a configured target, as in /probe?target=studio\n",
		"target=":                               "parameter target is empty: name a configured target\n",
		"target=studio&session=":                "parameter session is empty: name a configured session\n",
		"target=studio&target=tower":            "parameter target is given 2 times: give it once\n",
		"target=studio&session=a&session=b":     "parameter session is given 2 times: give it once\n",
		"target=studio;session=playout":         "the parameters are malformed: invalid semicolon separator in query\n",
		"target=studio&session=%zz":             "the parameters are malformed: invalid URL escape \"%zz\"\n",
		"target=attic":                          `unknown target "attic"` + hint,
		"target=Studio":                         `unknown target "Studio"` + hint,
		"target=studio&session=relay":           `unknown session "relay" of target "studio"` + hint,
		"target=" + e.hmpURL:                    `unknown target "` + e.hmpURL + `"` + hint,
		"target=a%0d%0aSet-Cookie:%20b":         `unknown target "a\r\nSet-Cookie: b"` + hint,
		"target=%ff%fe":                         `unknown target "\xff\xfe"` + hint,
		"target=studio&session=%3Cimg+src=x%3E": `unknown session "<img src=x>" of target "studio"` + hint,
		"target=" + long:                        `unknown target "` + long[:100] + `"` + hint,
		"target=studio&session=" + long:         `unknown session "` + long[:100] + `" of target "studio"` + hint,
	} {
		status := http.StatusBadRequest
		if strings.HasPrefix(want, "unknown") {
			status = http.StatusNotFound
		}
		got := e.get("/probe?" + query)
		got.want(t, status)
		if got.body != want || got.header.Get("Content-Type") != textType {
			t.Errorf("%.300s: got  %.600q,\nwant %.600q", query, got.body, want)
		}
		for method, path := range map[string]string{http.MethodGet: "/session", http.MethodPost: "/retry-login"} {
			if page := e.do(method, path+"?"+query); page.status != status && page.status != http.StatusBadRequest {
				t.Errorf("%s %s?%.300s: status %d", method, path, query, page.status)
			}
		}
	}
	if n := e.probes(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}
