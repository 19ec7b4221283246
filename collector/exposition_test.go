package collector

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// golden compares a text with a file in testdata. With -update it writes the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestFamilies compares the exposition of each result, and of several results.
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

// checkText compares WriteText with Families and package expfmt.
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

// TestTextTakesNoMemory checks that WriteText allocates nothing for a sample. Otherwise this
// would take most of the time of a large scrape.
func TestTextTakesNoMemory(t *testing.T) {
	results := slices.Repeat([]Result{{Target: "studio", Session: "playout", Answer: hmp.Answer{Result: hmp.Valid, Responded: true}}}, 1000)
	w := bufio.NewWriter(io.Discard)
	allocations := testing.AllocsPerRun(10, func() { WriteText(w, results, true) }) / float64(len(results))
	if allocations > 4 { // its labels take two, and it has more than forty samples
		t.Errorf("%.1f allocations for a session", allocations)
	}
}

// gatherOwn returns the metrics of a collector about itself.
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

// TestSamplesMatchMetrics compares the exported samples with the rows of [Metrics]: name, type
// and labels. TestMetricsPage compares the rows with docs/metrics.md.
func TestSamplesMatchMetrics(t *testing.T) {
	row := func(name string, kind dto.MetricType, labels []string) string {
		return fmt.Sprint(name, " ", kind, " ", labels)
	}
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
	for i, m := range Metrics {
		if i > 0 && m.Name <= Metrics[i-1].Name || !slices.IsSorted(m.Labels) {
			t.Errorf("%s or its labels are not sorted", m.Name)
		}
		if m.Name != ScrapesRefused { // package web counts them
			want[row(m.Name, m.Type, m.Labels)] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-Metrics +samples):\n%s", diff)
	}
}

// Times in the sample results.
var (
	probed  = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	expires = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
)

// sampleResults returns a Result for every result name.
func sampleResults() map[hmp.Result]Result {
	dialled := hmp.Phases{Resolve: 4 * time.Millisecond, Connect: 2 * time.Millisecond, TLS: 8 * time.Millisecond}
	answered := dialled
	answered.Processing, answered.Transfer = 16*time.Millisecond, time.Millisecond
	ranOut := dialled
	ranOut.Processing = 9486 * time.Millisecond

	answer := func(name hmp.Result, status int, code hmp.Code) hmp.Answer {
		return hmp.Answer{Result: name, Responded: true, StatusCode: status, Code: code, Phases: answered, CertificateExpiry: expires}
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

// manyResults returns the results of several sessions of two targets. Service messages,
// certificates and versions have awkward values.
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
	third.CertificateExpiry = time.Time{} // the probe saw none, and the next one saw it
	fourth.Target, fourth.Session = "lab", "archive"
	fourth.CertificateExpiry = expires
	fourth.Logins = &Logins{Status: token.Status{TokenExpiry: probed.Add(27 * time.Minute)}} // and no login yet
	return []Result{first, second, third, fourth}
}
