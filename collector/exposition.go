package collector

import (
	dto "github.com/prometheus/client_model/go"

	"bufio"
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A sink takes samples: metric by metric, and result by result within each.
type sink interface {
	// metric tells which one the samples to come are of.
	metric(m *Metric)
	// session and target tell that they are of the session of a result, by its index,
	// or of its target.
	session(i int)
	target(i int)
	// add adds a sample, with the labels of that. Own labels, unless nil, stand in front:
	// they have to be sorted and to sort before "session" and "target", except the last.
	add(value float64, own *labels)
}

// expose puts all samples of results into s. Results of one target have to stand together.
func expose(results []Result, s sink) {
	for i := range Metrics {
		m := &Metrics[i]
		if m.samples == nil {
			continue
		}
		s.metric(m)
		if m.ofTarget() {
			for i := range results {
				if i == 0 || results[i].Target != results[i-1].Target {
					s.target(i)
					m.samples(s, earliestExpiry(results[i:]))
				}
			}
			continue
		}
		for i := range results {
			s.session(i)
			m.samples(s, &results[i])
		}
	}
}

// ofTarget tells whether a metric is about a target, not about a session of it.
func (m *Metric) ofTarget() bool { return !slices.Contains(m.Labels, "session") }

// earliestExpiry returns the result of the first target of several whose certificate
// expires first.
func earliestExpiry(results []Result) *Result {
	earliest := &results[0]
	for i := range results {
		r := &results[i]
		if r.Target != earliest.Target {
			break
		}
		if t := r.CertificateExpiry; !t.IsZero() && (earliest.CertificateExpiry.IsZero() || t.Before(earliest.CertificateExpiry)) {
			earliest = r
		}
	}
	return earliest
}

// addTime adds a sample unless the time is zero, which is no time.
func addTime(s sink, t time.Time) {
	if !t.IsZero() {
		s.add(seconds(t), nil)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

// labels are those that a sample has of its own, in both forms that they are needed in.
type labels struct {
	pairs []*dto.LabelPair
	text  string // name="value", for each
	// last, unless nil, is one that sorts behind "target", and lastText is ,name="value"} with a space behind it
	last     *dto.LabelPair
	lastText string
}

// newLabels returns labels of names and values in turn.
func newLabels(namesAndValues ...string) (l labels) {
	for pair := range slices.Chunk(namesAndValues, 2) {
		l.pairs = append(l.pairs, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
		l.text += pair[0] + `="` + escaped.Replace(pair[1]) + `",`
	}
	return l
}

// labelsOf returns labels of one name for each of a list.
func labelsFor[T any](name string, of []T, value func(T) string) []labels {
	list := make([]labels, len(of))
	for i, v := range of {
		list[i] = newLabels(name, value(v))
	}
	return list
}

// escaped is how a value stands between quotes.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

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
	return f.list
}

var sessionLabel, targetLabel = "session", "target"

type commonLabels [2]*dto.LabelPair

// families makes of samples what client_golang has for them.
type families struct {
	common []commonLabels // by result
	list   []*dto.MetricFamily

	current *Metric
	family  *dto.MetricFamily // once there is a sample
	labels  []*dto.LabelPair  // of the session or the target at hand
}

func (f *families) metric(m *Metric) { f.current, f.family = m, nil }

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
		f.family = &dto.MetricFamily{Name: &f.current.Name, Help: &f.current.Help, Type: &f.current.Type}
		f.list = append(f.list, f.family)
	}
	n := &sample{value: value}
	n.metric.Label = n.labels[:0]
	if own != nil {
		n.metric.Label = append(n.metric.Label, own.pairs...)
	}
	n.metric.Label = append(n.metric.Label, f.labels...)
	if own != nil && own.last != nil {
		n.metric.Label = append(n.metric.Label, own.last)
	}
	if f.current.Type == counter {
		n.counter.Value, n.metric.Counter = &n.value, &n.counter
	} else {
		n.gauge.Value, n.metric.Gauge = &n.value, &n.gauge
	}
	f.family.Metric = append(f.family.Metric, &n.metric)
}

// WriteText writes the metrics of results as package expfmt writes their [Families] in
// the text format, or in that of OpenMetrics without its end: byte for byte, but
// without checking what is known to be good, and without memory for each sample. Most
// of what a scrape costs beyond the probe would be that.
//
// An error of w stays with it, until it is flushed.
func WriteText(w *bufio.Writer, results []Result, openMetrics bool) {
	expose(results, &textWriter{w: w, openMetrics: openMetrics, common: commonTexts(results)})
}

// text writes samples as they come.
type textWriter struct {
	w           *bufio.Writer
	openMetrics bool
	common      []commonText // by result

	current     *Metric
	headWritten bool   // there is a sample of the metric
	labels      string // of the session or the target at hand, to the end of all labels
}

// A commonText is the labels that all samples of a session have, and of its target.
type commonText struct{ session, target string }

func commonTexts(results []Result) []commonText {
	list := make([]commonText, len(results))
	for i := range results {
		target := `target="` + escaped.Replace(results[i].Target) + `"} `
		all := `session="` + escaped.Replace(results[i].Session) + `",` + target
		list[i] = commonText{all, all[len(all)-len(target):]}
	}
	return list
}

func (t *textWriter) metric(m *Metric) { t.current, t.headWritten = m, false }

func (t *textWriter) session(i int) { t.labels = t.common[i].session }

func (t *textWriter) target(i int) { t.labels = t.common[i].target }

func (t *textWriter) add(value float64, own *labels) {
	if !t.headWritten {
		t.headWritten = true
		t.head()
	}
	line := append(t.w.AvailableBuffer(), t.current.Name...)
	line = append(line, '{')
	if own != nil {
		line = append(line, own.text...)
	}
	line = append(line, t.labels...)
	if own != nil && own.last != nil {
		line = append(line[:len(line)-len("} ")], own.lastText...)
	}
	line = append(t.number(line, value), '\n')
	_, _ = t.w.Write(line)
}

// head writes what stands in front of the samples of a metric.
func (t *textWriter) head() {
	name, kind := t.current.Name, "gauge"
	if t.current.Type == counter {
		kind = "counter"
		if t.openMetrics {
			name = strings.TrimSuffix(name, "_total")
		}
	}
	for _, s := range []string{"# HELP ", name, " ", t.current.Help, "\n# TYPE ", name, " ", kind, "\n"} {
		_, _ = t.w.WriteString(s)
	}
}

// number appends a value. OpenMetrics wants to see that it is not an integer.
func (t *textWriter) number(line []byte, value float64) []byte {
	from := len(line)
	line = strconv.AppendFloat(line, value, 'g', -1, 64)
	if t.openMetrics && !math.IsInf(value, 0) && !math.IsNaN(value) && !bytes.ContainsAny(line[from:], "e.") {
		line = append(line, ".0"...)
	}
	return line
}
