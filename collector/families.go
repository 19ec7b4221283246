package collector

import (
	dto "github.com/prometheus/client_model/go"
)

// Families makes metric families of results, sorted by name as a registry would
// sort them. Results of one target have to stand together. It is a pure function, but
// for that what it returns shares memory with the results.
func Families(results []Result) []*dto.MetricFamily {
	f := families{common: make([]commonLabels, len(results))}
	for i := range results {
		f.common[i] = commonLabels{
			{Name: &sessionLabel, Value: &results[i].Session},
			{Name: &targetLabel, Value: &results[i].Target},
		}
	}
	expose(results, &f)
	return f.made
}

var sessionLabel, targetLabel = "session", "target"

type commonLabels [2]*dto.LabelPair

// families makes of samples what client_golang has for them.
type families struct {
	common []commonLabels // by result
	made   []*dto.MetricFamily

	of     *Metric
	family *dto.MetricFamily // once there is a sample
	labels []*dto.LabelPair  // of the session or the target at hand
}

func (f *families) metric(m *Metric) { f.of, f.family = m, nil }

func (f *families) session(i int) { f.labels = f.common[i][:] }

func (f *families) target(i int) { f.labels = f.common[i][1:] }

// A sample is all that one consists of, in one piece of memory.
type sample struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
	labels  [4]*dto.LabelPair
}

func (f *families) add(value float64, own *labels) {
	if f.family == nil {
		f.family = &dto.MetricFamily{Name: &f.of.Name, Help: &f.of.Help, Type: &f.of.Type}
		f.made = append(f.made, f.family)
	}
	n := &sample{value: value}
	n.metric.Label = n.labels[:0]
	if own != nil {
		n.metric.Label = append(n.metric.Label, own.pairs...)
	}
	n.metric.Label = append(n.metric.Label, f.labels...)
	if f.of.Type == counter {
		n.counter.Value, n.metric.Counter = &n.value, &n.counter
	} else {
		n.gauge.Value, n.metric.Gauge = &n.value, &n.gauge
	}
	f.family.Metric = append(f.family.Metric, &n.metric)
}
