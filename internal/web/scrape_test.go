package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProbeServesOnlyWhatWasAsked is that /probe has the sessions that were named
// and nothing of the exporter's own.
func TestProbeServesOnlyWhatWasAsked(t *testing.T) {
	r := newRig(t, fleet)
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"target=studio", []string{
			`hmp_session_valid{session="archive",target="studio"}`,
			`hmp_session_valid{session="playout",target="studio"}`,
		}},
		{"target=studio&session=playout", []string{`hmp_session_valid{session="playout",target="studio"}`}},
		{"target=tower", []string{`hmp_session_valid{session="relay",target="tower"}`}},
		{"session=relay&target=tower", []string{`hmp_session_valid{session="relay",target="tower"}`}},
	} {
		t.Run(c.query, func(t *testing.T) {
			before := r.probed()
			got := r.get("/probe?" + c.query)
			if diff := cmp.Diff(c.want, got.series(t, "hmp_session_valid")); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
			for name := range got.families(t) {
				if !strings.HasPrefix(name, "hmp_") || strings.HasPrefix(name, "hmp_exporter_") {
					t.Errorf("%s is no metric of a session", name)
				}
			}
			if n := r.probed() - before; n != len(c.want) {
				t.Errorf("the HMP had %d requests, want one for each session: %d", n, len(c.want))
			}
		})
	}
}

// TestBothPathsHaveTheSameSeries is that a dashboard for the one serves the other.
func TestBothPathsHaveTheSameSeries(t *testing.T) {
	r := newRig(t, fleet)
	probes := append(r.get("/probe?target=studio").series(t, "hmp_"), r.get("/probe?target=tower").series(t, "hmp_")...)
	slices.Sort(probes)
	all := r.get("/metrics").series(t, "hmp_")
	all = slices.DeleteFunc(all, func(series string) bool { return strings.HasPrefix(series, "hmp_exporter_") })
	if diff := cmp.Diff(probes, all); diff != "" {
		t.Errorf("series (-/probe +/metrics):\n%s", diff)
	}
	if len(all) < 100 { // three sessions of some 40
		t.Errorf("there are only %d series", len(all))
	}
}

func TestMetricsOfTheExporter(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions bool
	}{
		{"with sessions", true},
		{"without sessions", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, fleet, func(o *Options) { o.ProbeSessions = c.sessions })
			r.get("/metrics")
			got := r.get("/metrics").families(t)
			for _, name := range []string{
				"go_goroutines", "go_info", "process_cpu_seconds_total", "process_open_fds",
				"promhttp_metric_handler_requests_in_flight", "promhttp_metric_handler_requests_total",
				"hmp_exporter_build_info", "hmp_exporter_coalesced_probes_total",
				"hmp_exporter_config_last_reload_success_timestamp_seconds", "hmp_exporter_config_last_reload_successful",
				"hmp_exporter_probe_duration_seconds", "hmp_exporter_probe_panics_total", "hmp_exporter_probes_in_flight",
				"hmp_exporter_scrapes_refused_total",
			} {
				if got[name] == nil {
					t.Errorf("%s is missing", name)
				}
			}
			for name := range got {
				ofSession := strings.HasPrefix(name, "hmp_") && !strings.HasPrefix(name, "hmp_exporter_")
				if ofSession && !c.sessions {
					t.Errorf("%s is there, though no session was to be probed", name)
				}
			}
			want := 0
			if c.sessions {
				want = 2 * 3
			}
			if n := r.probed(); n != want {
				t.Errorf("the HMP had %d requests, want %d", n, want)
			}
			if !c.sessions {
				r.get("/probe?target=studio&session=playout").want(t, http.StatusOK, playout)
			}
		})
	}
}

// TestNameFilter is that of promhttp, which works on both paths.
func TestNameFilter(t *testing.T) {
	r := newRig(t, fleet)
	for _, path := range []string{"/metrics?name[]=hmp_up", "/probe?target=tower&name[]=hmp_up"} {
		got := r.get(path).families(t)
		if len(got) != 1 || got["hmp_up"] == nil {
			t.Errorf("%s has %d metrics, want hmp_up alone", path, len(got))
		}
	}
}
