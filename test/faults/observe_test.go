package faults

import (
	"maps"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// The bounds of every probe, whatever comes in.
const (
	maxMemory = 4 << 20 // bytes that are allocated meanwhile, those of far sides included
	// maxExcess is how much longer than its timeout a probe may take on a busy machine. That it takes no longer on one
	// that is not, the collector's tests show on a clock of their own.
	maxExcess     = 30 * time.Second
	maxExposition = 32 << 10
	maxLabel      = 256 // characters
)

// An observation is what was seen of one probe.
type observation struct {
	text      string // the exposition
	families  map[string]*dto.MetricFamily
	took      time.Duration // the scrape
	allocated uint64
}

// observe probes the target studio of an exporter.
func observe(t testing.TB, e *exporter) observation {
	t.Helper()
	before := allocated()
	text, took, err := e.probe("studio")
	o := observation{text: text, took: took, allocated: allocated() - before}
	if err != nil {
		t.Fatalf("the scrape failed: %v", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if o.families, err = parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		t.Fatalf("the exposition cannot be read: %v\n%s", err, text)
	}
	return o
}

// allocated returns how much memory was ever allocated, in bytes. It grows by more
// than the heap does, and unlike the heap's size does not depend on when the
// collector of garbage ran.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func (o *observation) duration() time.Duration {
	seconds, _ := strconv.ParseFloat(o.value(collector.SessionProbeDuration), 64)
	return time.Duration(seconds * float64(time.Second))
}

// bounded checks what has to hold of every probe.
func (o *observation) bounded(t testing.TB, timeout time.Duration) {
	t.Helper()
	if o.allocated >= maxMemory {
		t.Errorf("%d bytes were allocated, want less than %d", o.allocated, maxMemory)
	}
	if took := max(o.took, o.duration()); took > timeout+maxExcess {
		t.Errorf("the probe took %v, and its timeout is %v", took, timeout)
	}
	if n := len(o.text); n >= maxExposition {
		t.Errorf("the exposition has %d bytes, want less than %d", n, maxExposition)
	}
	for name, f := range o.families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if n := utf8.RuneCountInString(l.GetValue()); n >= maxLabel {
					t.Errorf("%s: the value of label %s has %d characters, want less than %d", name, l.GetName(), n, maxLabel)
				}
			}
		}
	}
	problems, err := promlint.New(strings.NewReader(o.text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("the exposition is not what it should be: %v, %v", problems, err)
	}
}

// seen is what was seen, as a row wants it.
func (o *observation) seen(t testing.TB) want {
	t.Helper()
	w := want{
		Result:      hmp.Result(o.one(t, collector.SessionProbeResult, "result")),
		Code:        o.one(t, collector.SessionError, "code"),
		Messages:    o.value(collector.SessionMessages),
		Certificate: o.families[collector.TLSCertificateExpiry] != nil,
	}
	status, err := strconv.ParseFloat(o.value(collector.SessionHTTPStatus), 64)
	if err != nil {
		t.Errorf("the HTTP status is missing: %v", err)
	}
	w.Status = int(status)
	return w
}

// value returns that of the one sample of a metric, or "" if there is none.
func (o *observation) value(name string) string {
	f := o.families[name]
	if f == nil {
		return ""
	}
	if len(f.Metric) != 1 {
		return "several"
	}
	return strconv.FormatFloat(number(f.Metric[0]), 'f', -1, 64)
}

// one returns the value of a label in the one sample of a state set that is 1.
func (o *observation) one(t testing.TB, name, label string) string {
	t.Helper()
	var ones []string
	for _, m := range o.families[name].GetMetric() {
		switch number(m) {
		case 0:
		case 1:
			for _, l := range m.Label {
				if l.GetName() == label {
					ones = append(ones, l.GetValue())
				}
			}
		default:
			t.Errorf("a sample of the state set is neither 0 nor 1: %v", m)
		}
	}
	return strings.Join(ones, ",")
}

func number(m *dto.Metric) float64 { return m.GetGauge().GetValue() + m.GetCounter().GetValue() }

// names lists the metrics that there are.
func (o *observation) names() []string { return slices.Sorted(maps.Keys(o.families)) }
