package collector

import (
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Families makes metric families of results, sorted by name as a registry would
// sort them. It is a pure function. Results of one target have to stand together.
func Families(results []Result) []*dto.MetricFamily {
	common := make([]commonLabels, len(results))
	for i := range results {
		common[i] = commonLabels{pair("session", results[i].Session), pair("target", results[i].Target)}
	}
	families := make([]*dto.MetricFamily, 0, len(Metrics))
	for i := range Metrics {
		m := &Metrics[i]
		if m.samples == nil {
			continue
		}
		s := series{kind: m.Type}
		for i := range results {
			s.common = common[i]
			m.samples(&s, &results[i])
		}
		if len(s.metrics) > 0 {
			families = append(families, &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: &m.Type, Metric: s.metrics})
		}
	}
	return families
}

type commonLabels struct{ session, target *dto.LabelPair }

// A series gathers the samples of one metric.
type series struct {
	kind    dto.MetricType
	metrics []*dto.Metric
	common  commonLabels // of the result at hand
	target  string       // of the sample before, where there is one for each target
}

// A sample is all that one consists of, in one piece of memory.
type sample struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
	labels  [4]*dto.LabelPair
}

// add adds a sample for the session at hand. The labels have to be sorted and to
// sort before "session" and "target", as all that are in use do.
func (s *series) add(value float64, labels ...*dto.LabelPair) {
	n := &sample{value: value}
	own := append(append(n.labels[:0], labels...), s.common.session, s.common.target)
	s.append(n, own)
}

// addTime adds a sample unless the time is zero, which is no time.
func (s *series) addTime(t time.Time) {
	if !t.IsZero() {
		s.add(seconds(t))
	}
}

// addEarliestOfTarget adds one sample for each target: the earliest of its times.
func (s *series) addEarliestOfTarget(t time.Time) {
	target := s.common.target.GetValue()
	switch {
	case t.IsZero():
	case len(s.metrics) == 0 || s.target != target:
		s.target = target
		n := &sample{value: seconds(t)}
		s.append(n, append(n.labels[:0], s.common.target))
	default:
		earliest := s.metrics[len(s.metrics)-1].Gauge
		*earliest.Value = min(*earliest.Value, seconds(t))
	}
}

func (s *series) append(n *sample, labels []*dto.LabelPair) {
	n.metric.Label = labels
	if s.kind == counter {
		n.counter.Value = &n.value
		n.metric.Counter = &n.counter
	} else {
		n.gauge.Value = &n.value
		n.metric.Gauge = &n.gauge
	}
	s.metrics = append(s.metrics, &n.metric)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

func pairs(name string, values ...string) []*dto.LabelPair {
	return pairsOf(name, values, func(v string) string { return v })
}

// pairsOf returns a pair for each of a list.
func pairsOf[T any](name string, of []T, value func(T) string) []*dto.LabelPair {
	list := make([]*dto.LabelPair, len(of))
	for i, v := range of {
		list[i] = pair(name, value(v))
	}
	return list
}
