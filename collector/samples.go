package collector

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
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
	// they have to be sorted and to sort before "session" and "target", as all that are
	// in use do.
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
func labelsOf[T any](name string, of []T, value func(T) string) []labels {
	list := make([]labels, len(of))
	for i, v := range of {
		list[i] = newLabels(name, value(v))
	}
	return list
}

// escaped is how a value stands between quotes.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
