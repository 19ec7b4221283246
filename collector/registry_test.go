package collector

import (
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
)

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
