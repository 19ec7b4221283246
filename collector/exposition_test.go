package collector

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// exposition is the text of families.
func exposition(t testing.TB, families []*dto.MetricFamily) string {
	t.Helper()
	return encode(t, families, expfmt.NewFormat(expfmt.TypeTextPlain))
}

func encode(t testing.TB, families []*dto.MetricFamily, format expfmt.Format) string {
	t.Helper()
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatalf("failed to encode %s: %v", f.GetName(), err)
		}
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// samples returns the lines of an exposition that are samples, sorted.
func samples(exposition string) []string {
	lines := slices.Collect(strings.Lines(exposition))
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") })
	slices.Sort(lines)
	return lines
}

// absent is what [valueOf] returns where there is no sample.
const absent = "absent"

// valueOf returns the value of the one sample of a metric.
func valueOf(t testing.TB, families []*dto.MetricFamily, name string) string {
	t.Helper()
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		return absent
	}
	if n := len(families[i].Metric); n != 1 {
		t.Fatalf("%s has %d samples, want one", name, n)
	}
	m := families[i].Metric[0]
	return strconv.FormatFloat(m.GetGauge().GetValue()+m.GetCounter().GetValue(), 'g', -1, 64)
}

// ones returns the values that a label has in those samples of a metric that are
// 1. All others have to be 0.
func ones(t testing.TB, families []*dto.MetricFamily, name, label string) string {
	t.Helper()
	var values []string
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			switch m.GetGauge().GetValue() {
			case 0:
			case 1:
				values = append(values, labelOf(m, label))
			default:
				t.Errorf("a sample of the state set is neither 0 nor 1: %v", m)
			}
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
