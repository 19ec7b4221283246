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

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// The limits of every probe.
const (
	maxMemory = 4 << 20 // allocated bytes, also by the servers
	// maxDelay is how much later than its deadline a probe may end on a busy machine. The
	// tests of the collector check the exact time with a fake clock.
	maxDelay      = 2 * time.Minute
	maxExposition = 32 << 10
	maxLabel      = 256 // characters
)

// An scrape is what a scraper sees of a probe.
type scrape struct {
	text      string // the exposition
	families  map[string]*dto.MetricFamily
	took      time.Duration
	allocated uint64 // bytes, by the whole process
}

// scrape scrapes the target studio.
func (e *exporter) scrape(t testing.TB) *scrape {
	t.Helper()
	before := allocated()
	text, took, err := e.probe("studio")
	s := &scrape{text: text, took: took, allocated: allocated() - before}
	if err != nil {
		t.Fatalf("the scrape failed: %v", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if s.families, err = parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		t.Fatalf("the exposition cannot be read: %v\n%s", err, text)
	}
	return s
}

// allocated returns the number of bytes that were ever allocated. It does not depend on when the
// garbage collector ran.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func (s *scrape) duration() time.Duration {
	seconds, _ := strconv.ParseFloat(s.value(collector.SessionProbeDuration), 64)
	return time.Duration(seconds * float64(time.Second))
}

// checkLimits checks the limits of every probe.
func (s *scrape) checkLimits(t testing.TB, timeout time.Duration) {
	t.Helper()
	if s.allocated >= maxMemory {
		t.Errorf("%d bytes were allocated, want less than %d", s.allocated, maxMemory)
	}
	if took := max(s.took, s.duration()); took > timeout+maxDelay {
		t.Errorf("the probe took %v, and its timeout is %v", took, timeout)
	}
	if n := len(s.text); n >= maxExposition {
		t.Errorf("the exposition has %d bytes, want less than %d", n, maxExposition)
	}
	for name, f := range s.families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if n := utf8.RuneCountInString(l.GetValue()); n >= maxLabel {
					t.Errorf("%s: the value of label %s has %d characters, want less than %d", name, l.GetName(), n, maxLabel)
				}
			}
		}
	}
}

// result returns the result of the probe.
func (s *scrape) result(t testing.TB) result {
	t.Helper()
	r := result{
		Name:        hmp.Result(s.one(t, collector.SessionProbeResult, "result")),
		Code:        s.one(t, collector.SessionError, "code"),
		Messages:    s.value(collector.SessionMessages),
		Certificate: s.families[collector.TLSCertificateExpiry] != nil,
	}
	status, err := strconv.ParseFloat(s.value(collector.SessionHTTPStatus), 64)
	if err != nil {
		t.Errorf("the HTTP status is missing: %v", err)
	}
	r.Status = int(status)
	return r
}

// value returns the value of the only sample of a metric, or "".
func (s *scrape) value(name string) string {
	f := s.families[name]
	if f == nil {
		return ""
	}
	if len(f.Metric) != 1 {
		return "several"
	}
	return strconv.FormatFloat(number(f.Metric[0]), 'f', -1, 64)
}

// one returns the value of a label in the sample of a state set that is 1.
func (s *scrape) one(t testing.TB, name, label string) string {
	t.Helper()
	var ones []string
	for _, m := range s.families[name].GetMetric() {
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

// names returns the names of the metrics.
func (s *scrape) names() []string { return slices.Sorted(maps.Keys(s.families)) }
