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
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

func TestFamilies(t *testing.T) {
	results := sampleResults()
	for _, o := range hmp.Results {
		t.Run(string(o.Result), func(t *testing.T) {
			r, ok := results[o.Result]
			if !ok {
				t.Fatal("there is no sample of this result")
			}
			golden(t, string(o.Result)+".prom", exposition(t, Families([]Result{r})))
		})
	}
	t.Run("many", func(t *testing.T) {
		golden(t, "many.prom", exposition(t, Families(manyResults())))
	})
	t.Run("none", func(t *testing.T) {
		if f := Families(nil); len(f) != 0 {
			t.Errorf("got %v", f)
		}
	})
}

// TestFamiliesKeepResults sees that the same results make the same metrics
// twice, and that neither call changed them.
func TestFamiliesKeepResults(t *testing.T) {
	results := manyResults()
	first := exposition(t, Families(results))
	if diff := cmp.Diff(first, exposition(t, Families(results))); diff != "" {
		t.Errorf("the second time (-want +got):\n%s", diff)
	}
	sameVersion := cmp.Comparer(func(a, b *Version) bool { return a == b || a != nil && b != nil && a.Version == b.Version })
	if diff := cmp.Diff(manyResults(), results, sameVersion); diff != "" {
		t.Errorf("results (-before +after):\n%s", diff)
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

// TestText has package expfmt write what [WriteText] writes without it.
func TestText(t *testing.T) {
	checkText(t, nil)
	checkText(t, manyResults())
	checkText(t, []Result{{Target: `a"b\c`, Session: "d\ne", Answer: hmp.Answer{CertificateExpiry: time.Unix(1748000000, 0)}}})
	for _, r := range sampleResults() {
		checkText(t, []Result{r})
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

// expositions returns one exposition for each result, and one of many sessions.
func expositions() map[string][]*dto.MetricFamily {
	all := map[string][]*dto.MetricFamily{"many": Families(manyResults())}
	for result, r := range sampleResults() {
		all[string(result)] = Families([]Result{r})
	}
	return all
}

// A constCollector collects the samples of families as anybody would who uses
// client_golang in the ordinary way, with descriptors made from [Metrics].
type constCollector []*dto.MetricFamily

func (c constCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range Metrics {
		descs <- prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
}

func (c constCollector) Collect(metrics chan<- prometheus.Metric) {
	kinds := map[dto.MetricType]prometheus.ValueType{counter: prometheus.CounterValue, gauge: prometheus.GaugeValue}
	for _, f := range c {
		m := metric(f.GetName())
		desc := prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
		for _, s := range f.Metric {
			var values []string
			for _, label := range m.Labels {
				values = append(values, labelOf(s, label))
			}
			value := s.GetGauge().GetValue() + s.GetCounter().GetValue()
			metrics <- prometheus.MustNewConstMetric(desc, kinds[f.GetType()], value, values...)
		}
	}
}

// TestRegistryAgrees has a pedantic registry check and gather the samples that
// [Families] writes without one.
func TestRegistryAgrees(t *testing.T) {
	for name, families := range expositions() {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewPedanticRegistry()
			registry.MustRegister(constCollector(families))
			gathered, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Clone(families)
			for _, f := range got { // a registry sorts labels, and samples by the values of their labels
				for _, m := range f.Metric {
					slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
				}
				slices.SortFunc(f.Metric, func(a, b *dto.Metric) int {
					return slices.CompareFunc(a.Label, b.Label, func(a, b *dto.LabelPair) int {
						return strings.Compare(a.GetValue(), b.GetValue())
					})
				})
			}
			if diff := cmp.Diff(exposition(t, gathered), exposition(t, got)); diff != "" {
				t.Errorf("(-registry +Families):\n%s", diff)
			}
		})
	}
}

func TestLint(t *testing.T) {
	all := expositions()
	all["own"] = gatherOwn(t)
	for name, families := range all {
		problems, err := testutil.GatherAndLint(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil }))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}

// TestEncodings reads what was written.
func TestEncodings(t *testing.T) {
	for name, families := range expositions() {
		t.Run(name, func(t *testing.T) {
			text := exposition(t, families)
			parsed := parse(t, text)
			for _, f := range parsed {
				m := metric(f.GetName())
				if f.GetType() != m.Type || f.GetHelp() != m.Help {
					t.Errorf("%s came back as a %s: %s", f.GetName(), f.GetType(), f.GetHelp())
				}
			}
			if diff := cmp.Diff(text, exposition(t, parsed)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}

			open, ended := strings.CutSuffix(encode(t, families, expfmt.NewFormat(expfmt.TypeOpenMetrics)), "# EOF\n")
			if !ended {
				t.Error("OpenMetrics: there is no end")
			}
			// Nothing at hand parses OpenMetrics, but samples are written the same
			// way as in the text format.
			if diff := cmp.Diff(samples(text), samples(exposition(t, parse(t, open)))); diff != "" {
				t.Errorf("OpenMetrics (-want +got):\n%s", diff)
			}
		})
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

// The samples have to be complete, or the tests above check too little.
func TestSamplesAreComplete(t *testing.T) {
	missing := make(map[string]bool)
	for _, m := range Metrics {
		missing[m.Name] = m.samples != nil
	}
	for _, f := range Families(manyResults()) {
		delete(missing, f.GetName())
	}
	for name, isMissing := range missing {
		if isMissing {
			t.Errorf("no sample of %s", name)
		}
	}
	if len(sampleResults()) != len(hmp.Results) {
		t.Errorf("there are %d samples for %d results", len(sampleResults()), len(hmp.Results))
	}
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
