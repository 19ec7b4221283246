package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const exporterBinary = "../../hmp_exporter"

// Every result that a probe can have. The demo shows all but the one that needs a load: a probe that found no free place.
var (
	demoResults = strings.Fields(`valid no_roles unauthorized internal_error auth_unavailable endpoint_missing redirect
		http_error bad_payload timeout dns connect tls protocol login_rejected credentials`)
	allResults = append([]string{"saturated"}, demoResults...)
)

// TestPrometheus lets a real Prometheus scrape the demo, where every kind of failure is present at once, one HMP that
// never answers among them, and asks it what it saw.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	exporter := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0"))
	exporterURL := exporter.url(t)
	targets, sessions := inventory(t, exporterURL)
	server := startPrometheus(t, exporterURL, targets)
	scrapes := 1 + len(targets)

	eventually(t, "everything has been scraped three times", func() error {
		done := server.query(t, `count_over_time(up[10m]) >= 3`)
		if len(done) != scrapes {
			return fmt.Errorf("%d of %d are", len(done), scrapes)
		}
		return nil
	})

	t.Run("no scrape fails", func(t *testing.T) {
		server.expectNone(t, `min_over_time(up[10m]) != 1`)
		server.expectNone(t, `max_over_time(scrape_duration_seconds[10m]) >= 2`) // the timeout of a scrape
	})
	for _, job := range []string{"metrics", "probe"} {
		t.Run("every session is in job "+job, func(t *testing.T) {
			got := server.sessions(t, fmt.Sprintf(`hmp_session_valid{job=%q}`, job))
			if diff := cmp.Diff(sessions, got); diff != "" {
				t.Errorf("sessions (-configured +scraped):\n%s", diff)
			}
			server.expectResults(t, job, len(sessions))
		})
	}
	t.Run("the state set is one-hot", func(t *testing.T) {
		server.expectNone(t, `sum by (job, target, session) (hmp_session_probe_result) != 1`)
		server.expectNone(t, `hmp_session_valid != ignoring (result) hmp_session_probe_result{result="valid"}`)
	})
	t.Run("the probe durations are a native histogram", func(t *testing.T) {
		if len(server.query(t, `histogram_count(hmp_exporter_probe_duration_seconds) > 0`)) == 0 {
			t.Error("no native histogram was scraped")
		}
	})

	server.stop(t)
	exporter.stop(t)
}

// expectNone evaluates an expression that finds what must not be.
func (p prometheus) expectNone(t *testing.T, expression string) {
	t.Helper()
	for _, s := range p.query(t, expression) {
		t.Errorf("%s: found %v = %g", expression, s.Labels, s.value(t))
	}
}

// expectResults checks that every session has the whole state set, and that each of the demo's results is some
// session's: the hung HMP, which shares a scrape with all the others, took none of them along.
func (p prometheus) expectResults(t *testing.T, job string, sessions int) {
	t.Helper()
	got := make(map[string]float64)
	for _, s := range p.query(t, fmt.Sprintf(`count by (result) (hmp_session_probe_result{job=%q})`, job)) {
		got[s.Labels["result"]] = s.value(t)
	}
	want := make(map[string]float64)
	for _, result := range allResults {
		want[result] = float64(sessions)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sessions per member of the state set (-want +got):\n%s", diff)
	}

	var seen []string
	for _, s := range p.query(t, fmt.Sprintf(`count by (result) (hmp_session_probe_result{job=%q} == 1)`, job)) {
		seen = append(seen, s.Labels["result"])
	}
	for _, result := range demoResults {
		if !slices.Contains(seen, result) {
			t.Errorf("no session of the demo has the result %s; there are %v", result, seen)
		}
	}
}

// sessions are the sorted "target/session" names of a vector.
func (p prometheus) sessions(t *testing.T, expression string) []string {
	t.Helper()
	var names []string
	for _, s := range p.query(t, expression) {
		names = append(names, s.Labels["target"]+"/"+s.Labels["session"])
	}
	slices.Sort(names)
	return names
}

// inventory reads from the running configuration what the demo consists of: its targets, and its sessions as sorted
// "target/session" names.
func inventory(t *testing.T, exporter string) (targets, sessions []string) {
	t.Helper()
	var config struct {
		Targets []struct {
			Name     string
			Sessions []struct{ Name string }
		}
	}
	body := get(t, exporter+"/config", nil).body
	if err := yaml.Unmarshal(body, &config); err != nil {
		t.Fatalf("/config is not YAML: %v\n%s", err, body)
	}
	for _, target := range config.Targets {
		targets = append(targets, target.Name)
		for _, session := range target.Sessions {
			sessions = append(sessions, target.Name+"/"+session.Name)
		}
	}
	if len(sessions) == 0 {
		t.Fatalf("no session in /config:\n%s", body)
	}
	slices.Sort(sessions)
	return targets, sessions
}
