package collector

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// TestFamilies has the exposition of each result, and of many.
func TestFamilies(t *testing.T) {
	all := map[string][]Result{"many": manyResults()}
	for result, r := range sampleResults() {
		all[string(result)] = []Result{r}
	}
	for name, results := range all {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".prom", exposition(t, Families(results)))
			checkExposition(t, results...)
		})
	}
	checkText(t, nil)
	checkText(t, []Result{{Target: `a"b\c`, Session: "d\ne", Answer: hmp.Answer{CertificateExpiry: time.Unix(1748000000, 0)}}})
	if len(all) != len(hmp.Results)+1 {
		t.Errorf("%d samples for %d results", len(all)-1, len(hmp.Results))
	}
}

// TestCertificateExpiry is that each target has the earliest of its own sessions, if any
// of them has one.
func TestCertificateExpiry(t *testing.T) {
	at := func(target string, expiry int64) Result {
		r := Result{Target: target, Session: "playout"}
		if expiry != 0 {
			r.CertificateExpiry = time.Unix(expiry, 0)
		}
		return r
	}
	want := map[string]float64{"studio": 200, "tower": 100, "arena": 300}
	got := make(map[string]float64)
	for _, f := range Families([]Result{
		at("studio", 0), at("studio", 200), at("studio", 250), at("studio", 0),
		at("tower", 100), at("arena", 300), at("arena", 0), at("lab", 0),
	}) {
		if f.GetName() == TLSCertificateExpiry {
			for _, m := range f.Metric {
				got[labelOf(m, "target")] = m.GetGauge().GetValue()
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// checkText compares both ways to write results.
func checkText(t *testing.T, results []Result) {
	t.Helper()
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics} {
		var want, got bytes.Buffer
		encoder := expfmt.NewEncoder(&want, expfmt.NewFormat(format))
		for _, f := range Families(results) {
			if err := encoder.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		w := bufio.NewWriter(&got)
		WriteText(w, results, format == expfmt.TypeOpenMetrics)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("(-expfmt +WriteText):\n%s", diff)
		}
	}
}

// TestTextTakesNoMemory is that nothing is allocated for a sample: a scrape of many
// sessions would take more time for that than for anything else.
func TestTextTakesNoMemory(t *testing.T) {
	results := slices.Repeat([]Result{{Target: "studio", Session: "playout", Answer: hmp.Answer{Result: hmp.Valid, Responded: true}}}, 1000)
	w := bufio.NewWriter(io.Discard)
	allocations := testing.AllocsPerRun(10, func() { WriteText(w, results, true) }) / float64(len(results))
	if allocations > 4 { // its labels take two, and it has more than forty samples
		t.Errorf("%.1f allocations for a session", allocations)
	}
}

// parse reads families from text, sorted by name.
func parse(t *testing.T, text string) []*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	byName, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var families []*dto.MetricFamily
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		families = append(families, byName[name])
	}
	return families
}

// gatherOwn gathers the metrics of a collector about itself.
func gatherOwn(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	c := New(Options{MaxConcurrent: 1})
	c.metrics.duration.Observe(1)
	registry := prometheus.NewPedanticRegistry()
	c.Register(registry, func() (bool, time.Time) { return true, probed })
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

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
	lint(t, gatherOwn(t))
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

// Some moments of the sample results.
var (
	probed  = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	expires = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
)

// sampleResults has a result for every result, as a probe could have made it.
func sampleResults() map[hmp.Result]Result {
	dialled := hmp.Phases{Resolve: 4 * time.Millisecond, Connect: 2 * time.Millisecond, TLS: 8 * time.Millisecond}
	answered := dialled
	answered.Processing, answered.Transfer = 16*time.Millisecond, time.Millisecond
	ranOut := dialled
	ranOut.Processing = 9486 * time.Millisecond

	answer := func(o hmp.Result, status int, code hmp.Code) hmp.Answer {
		return hmp.Answer{Result: o, Responded: true, StatusCode: status, Code: code, Phases: answered, CertificateExpiry: expires}
	}
	admin, roles, failures, messages := true, 1, 3.0, 2
	good := answer(hmp.Valid, 200, "")
	good.Details = hmp.Details{
		Admin: &admin, Roles: &roles, LoginFailures: &failures, ServiceMessages: &messages,
		LastAction: probed.Add(-time.Minute + 99*time.Millisecond), LastLogin: probed.Add(-time.Hour),
	}
	answers := []hmp.Answer{
		good,
		answer(hmp.NoRoles, 401, hmp.UserNotAuthorized),
		answer(hmp.Unauthorized, 401, hmp.UserNotAuthorized),
		answer(hmp.InternalError, 500, hmp.InternalServer),
		answer(hmp.AuthUnavailable, 503, hmp.ServiceUnavailable),
		answer(hmp.EndpointMissing, 404, ""),
		answer(hmp.Redirect, 302, ""),
		answer(hmp.HTTPError, 502, ""),
		answer(hmp.BadPayload, 200, ""),
		{Result: hmp.Timeout, Phases: ranOut, CertificateExpiry: expires},
		{Result: hmp.DNS, Phases: hmp.Phases{Resolve: 4 * time.Millisecond}},
		{Result: hmp.Connect, Phases: hmp.Phases{Resolve: 4 * time.Millisecond, Connect: time.Millisecond}},
		{Result: hmp.TLS, Phases: dialled, CertificateExpiry: probed.Add(-24 * time.Hour)},
		{Result: hmp.Protocol, Phases: dialled, CertificateExpiry: expires},
		answer(hmp.LoginRejected, 401, hmp.InvalidCredentials),
		{Result: hmp.Credentials, Reason: "token_file secrets/playout.token: no such file or directory"},
		{Result: hmp.Saturated},
	}
	results := make(map[hmp.Result]Result)
	for _, a := range answers {
		p := a.Phases
		results[a.Result] = Result{
			Target: "studio", Session: "playout", Answer: a,
			Start: probed, Duration: p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer, Timeout: 9500 * time.Millisecond,
			Rotations: 7,
		}
	}
	rejected := results[hmp.LoginRejected]
	rejected.Logins = &Logins{
		Status: token.Status{Suspended: true},
		Counts: map[hmp.Result]int{hmp.Valid: 48, hmp.LoginRejected: 1},
	}
	results[hmp.LoginRejected] = rejected
	return results
}

// manyResults are those of several sessions on two targets, with all that is
// awkward about service messages, certificates and versions.
func manyResults() []Result {
	sample := sampleResults()
	first, second, third, fourth := sample[hmp.Valid], sample[hmp.Valid], sample[hmp.Unauthorized], sample[hmp.Connect]

	first.Version = NewVersion(hmp.Version{Version: `4.1 "beta"`, Build: `30\242`})
	second.Version = first.Version
	messages := 4
	first.Details.ServiceMessages = &messages
	first.Details.MessageTexts = []string{
		`Password "change" required`, "one line\nand another", `back\slash`, "Grüße, 日本語, 👋 and a no-break\u00a0space",
	}
	second.Session, second.Details = "archive", hmp.Details{LoginFailures: new(float64)} // all else unknown
	second.CertificateExpiry = expires.Add(-30 * 24 * time.Hour)                         // that of another node behind one address
	third.Target, third.Code, third.StatusCode = "lab", hmp.OtherCode, 401
	third.CertificateExpiry = time.Time{} // plain HTTP
	fourth.Target, fourth.Session = "lab", "archive"
	fourth.Logins = &Logins{Status: token.Status{TokenExpiry: probed.Add(27 * time.Minute)}} // and no login yet
	return []Result{first, second, third, fourth}
}
