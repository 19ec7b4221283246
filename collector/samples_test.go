package collector

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmpsim"
)

// A verdict is what the metrics of one session say of a probe.
type verdict struct {
	Result string // label of hmp_session_probe_result
	Up     string
	Valid  string
	Status string
	Code   string // label of hmp_session_error
	GETs   int    // that the HMP has received
}

func (r *rig) verdict(q Request, sim *hmpsim.Server) (verdict, Result) {
	r.t.Helper()
	results := r.probe(q)
	if len(results) != 1 {
		r.t.Fatalf("got %d results", len(results))
	}
	f := Families(results)
	return verdict{
		Result: ones(f, SessionProbeResult, "result"),
		Up:     valueOf(r.t, f, Up),
		Valid:  valueOf(r.t, f, SessionValid),
		Status: valueOf(r.t, f, SessionHTTPStatus),
		Code:   ones(f, SessionError, "code"),
		GETs:   sim.Stats().GETs,
	}, results[0]
}

// logins are what the metrics of one session say of logins.
type logins struct {
	Counts    string // above 0, such as "success 2, timeout 1"
	Suspended string
	Expiry    string
}

func loginsOf(t *testing.T, f []*dto.MetricFamily) logins {
	t.Helper()
	var counts []string
	for _, m := range samplesOf(f, SessionLogins) {
		if n := value(m); n != 0 {
			counts = append(counts, fmt.Sprintf("%s %g", labelOf(m, "result"), n))
		}
	}
	return logins{strings.Join(counts, ", "), valueOf(t, f, SessionLoginSuspended), valueOf(t, f, SessionTokenExpiry)}
}

// exposition returns the text of families, as package expfmt writes it.
func exposition(t testing.TB, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatalf("failed to encode %s: %v", f.GetName(), err)
		}
	}
	return b.String()
}

func samplesOf(families []*dto.MetricFamily, name string) []*dto.Metric {
	for _, f := range families {
		if f.GetName() == name {
			return f.Metric
		}
	}
	return nil
}

func value(m *dto.Metric) float64 { return m.GetGauge().GetValue() + m.GetCounter().GetValue() }

// absent is what [valueOf] returns if there is no sample.
const absent = "absent"

// valueOf returns the value of the only sample of a metric.
func valueOf(t testing.TB, families []*dto.MetricFamily, name string) string {
	t.Helper()
	switch samples := samplesOf(families, name); len(samples) {
	case 0:
		return absent
	case 1:
		return strconv.FormatFloat(value(samples[0]), 'g', -1, 64)
	default:
		t.Fatalf("%s has %d samples, want one", name, len(samples))
		return ""
	}
}

// ones returns the label of the samples whose value is not 0.
func ones(families []*dto.MetricFamily, name, label string) string {
	var values []string
	for _, m := range samplesOf(families, name) {
		if value(m) != 0 {
			values = append(values, labelOf(m, label))
		}
	}
	return strings.Join(values, ",")
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
