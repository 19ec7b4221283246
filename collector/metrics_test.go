package collector

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
)

// exported is what dashboards, alerts and other people's rules depend on: name,
// type and labels of every metric. A change here breaks them.
const exported = `
hmp_exporter_build_info gauge branch,goarch,goos,goversion,revision,tags,version
hmp_exporter_coalesced_probes_total counter
hmp_exporter_config_last_reload_success_timestamp_seconds gauge
hmp_exporter_config_last_reload_successful gauge
hmp_exporter_probe_duration_seconds histogram
hmp_exporter_probe_panics_total counter
hmp_exporter_probes_in_flight gauge
hmp_exporter_scrapes_refused_total counter path
hmp_info gauge build,target,version
hmp_session_admin gauge session,target
hmp_session_error gauge code,name,session,target
hmp_session_http_status_code gauge session,target
hmp_session_last_action_timestamp_seconds gauge session,target
hmp_session_last_login_timestamp_seconds gauge session,target
hmp_session_login_failures gauge session,target
hmp_session_login_suspended gauge session,target
hmp_session_logins_total counter result,session,target
hmp_session_probe_duration_seconds gauge session,target
hmp_session_probe_phase_duration_seconds gauge phase,session,target
hmp_session_probe_result gauge result,session,target
hmp_session_probe_timeout_seconds gauge session,target
hmp_session_roles gauge session,target
hmp_session_service_message_info gauge message,session,target
hmp_session_service_messages gauge session,target
hmp_session_token_expiry_timestamp_seconds gauge session,target
hmp_session_token_rotations_total counter session,target
hmp_session_valid gauge session,target
hmp_tls_certificate_expiry_timestamp_seconds gauge target
hmp_up gauge session,target
`

// row is how exported writes a metric.
func row(name string, kind dto.MetricType, labels []string) string {
	return strings.TrimSpace(name + " " + strings.ToLower(kind.String()) + " " + strings.Join(labels, ","))
}

func TestMetrics(t *testing.T) {
	want := strings.Split(strings.TrimSpace(exported), "\n")
	var got []string
	for _, m := range Metrics {
		got = append(got, row(m.Name, m.Type, m.Labels))
		if !slices.IsSorted(m.Labels) {
			t.Errorf("the labels of %s are not sorted", m.Name)
		}
		if m.Help == "" {
			t.Errorf("%s has no help", m.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Metrics (-want +got):\n%s", diff)
	}
	for i := range Metrics[1:] {
		if a, b := Metrics[i].Name, Metrics[i+1].Name; a >= b {
			t.Errorf("%s comes before %s: not sorted, or not unique", a, b)
		}
	}
}

// TestSamplesMatchMetrics compares what is really exported with what [Metrics]
// says of it: the samples of sessions, and the metrics of the exporter itself.
func TestSamplesMatchMetrics(t *testing.T) {
	got := make(map[string]bool)
	for _, families := range [][]*dto.MetricFamily{Families(manyResults()), gatherOwn(t)} {
		for _, f := range families {
			for _, m := range f.Metric {
				var labels []string
				for _, l := range m.Label {
					labels = append(labels, l.GetName())
				}
				slices.Sort(labels)
				got[row(f.GetName(), f.GetType(), labels)] = true
			}
		}
	}
	want := make(map[string]bool)
	for _, m := range Metrics {
		if m.Name != ScrapesRefused { // package web counts them
			want[row(m.Name, m.Type, m.Labels)] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-Metrics +samples):\n%s", diff)
	}
}
