package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
)

const (
	// prometheusAccept is what Prometheus 3 sends with its default protocols.
	prometheusAccept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
		"application/openmetrics-text;version=0.0.1;q=0.5," +
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	// nativeAccept is what it sends first with native histograms.
	nativeAccept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," + prometheusAccept

	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
	protobuf    = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping="
)

func TestNegotiation(t *testing.T) {
	r := newRig(t, fleet)
	for _, path := range []string{"/metrics", "/probe?target=studio", "/probe?target=studio&session=archive"} {
		want := r.get(path).series(t, "hmp_")
		for _, c := range []struct{ name, accept, contentType, end string }{
			{"nothing asked", "", plainType, "\n"},
			{"anything", "*/*", plainType, "\n"},
			{"text", "text/plain", plainType, "\n"},
			{"page", "text/html,application/xhtml+xml;q=0.9", plainType, "\n"},
			{"nonsense", ";;;,/", plainType, "\n"},
			{"OpenMetrics", "application/openmetrics-text;version=1.0.0", openMetrics + "underscores", "\n# EOF\n"},
			{"Prometheus", prometheusAccept, openMetrics + "allow-utf-8", "\n# EOF\n"},
			{"Prometheus with native histograms", nativeAccept, protobuf + "underscores", ""},
		} {
			t.Run(path+" "+c.name, func(t *testing.T) {
				got := r.get(path, "Accept", c.accept)
				if diff := cmp.Diff(c.contentType, got.header.Get("Content-Type")); diff != "" {
					t.Errorf("Content-Type (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want, got.series(t, "hmp_")); diff != "" {
					t.Errorf("series (-plain +negotiated):\n%s", diff)
				}
				if !strings.HasSuffix(got.body, c.end) || c.end == "\n" && strings.Contains(got.body, "# EOF") {
					t.Errorf("the end is %q, want %q", got.body[len(got.body)-10:], c.end)
				}
			})
		}
	}
}

// TestOpenMetricsIsStrict is that a parser of nothing but OpenMetrics takes a
// gauge and a counter. It gets no more than these, as it is slow.
func TestOpenMetricsIsStrict(t *testing.T) {
	r := newRig(t, fleet)
	want := []string{"hmp_session_token_rotations_total", "hmp_session_valid"}
	got := r.get("/probe?target=tower&name[]="+strings.Join(want, "&name[]="), "Accept", prometheusAccept)
	families := decode(t, got.body, expfmt.ResponseFormat(got.header))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(families))); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestNativeHistogram(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/metrics")
	family := r.get("/metrics", "Accept", nativeAccept).families(t)["hmp_exporter_probe_duration_seconds"]
	if len(family.GetMetric()) != 1 {
		t.Fatalf("there are %d histograms, want one", len(family.GetMetric()))
	}
	// Three sessions, and two scrapes: one is counted before it is gathered.
	h := family.Metric[0].GetHistogram()
	if n := h.GetSampleCount(); n != 6 {
		t.Errorf("it counts %d probes, want 6", n)
	}
	if len(h.GetPositiveSpan()) == 0 || h.Schema == nil {
		t.Error("it is not native")
	}
	if len(h.GetBucket()) == 0 {
		t.Error("it has no classic buckets")
	}
}

func TestCompression(t *testing.T) {
	r := newRig(t, fleet)
	for _, c := range []struct{ name, path, accept, encoding string }{
		{"accepted", "/metrics", "gzip", "gzip"},
		{"accepted among others", "/metrics", "zstd, br;q=0.9, gzip;q=0.1", "gzip"},
		{"not mentioned", "/metrics", "", ""},
		{"identity", "/metrics", "identity", ""},
		{"refused", "/metrics", "gzip;q=0", ""},
		{"malformed", "/metrics", "gzip;q=x, ;;,", ""},
		{"unknown", "/metrics", "br", ""},
		{"few sessions", "/probe?target=studio", "gzip", ""}, // see minCompressed
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.get(c.path, "Accept-Encoding", c.accept, "Accept", prometheusAccept)
			got.want(t, http.StatusOK, playout, "# EOF\n")
			if got := got.header.Get("Content-Encoding"); got != c.encoding {
				t.Errorf("Content-Encoding %q, want %q", got, c.encoding)
			}
		})
	}
}

// TestCompressionOfMany is that a probe of many sessions is worth compressing.
func TestCompressionOfMany(t *testing.T) {
	r := newRig(t, fleet+"      - {name: a, token: CANARY-a}\n      - {name: b, token: CANARY-b}\n      - {name: c, token: CANARY-c}\n")
	got := r.get("/probe?target=tower", "Accept-Encoding", "gzip")
	got.want(t, http.StatusOK, `hmp_session_valid{session="relay",target="tower"} 1`)
	if got := got.header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding %q, want gzip", got)
	}
}

func TestLint(t *testing.T) {
	r := newRig(t, fleet)
	for _, path := range []string{"/metrics", "/probe?target=studio"} {
		problems, err := promlint.New(strings.NewReader(r.get(path).body)).Lint()
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff([]promlint.Problem(nil), problems); diff != "" {
			t.Errorf("%s has problems (-want +got):\n%s", path, diff)
		}
	}
}
