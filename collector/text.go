package collector

import (
	"bufio"
	"bytes"
	"math"
	"strconv"
	"strings"
)

// WriteText writes the metrics of results as package expfmt writes their [Families] in
// the text format, or in that of OpenMetrics without its end: byte for byte, but
// without checking what is known to be good, and without memory for each sample. Most
// of what a scrape costs beyond the probe would be that.
//
// An error of w stays with it, until it is flushed.
func WriteText(w *bufio.Writer, results []Result, openMetrics bool) {
	expose(results, &text{w: w, openMetrics: openMetrics, common: commonTexts(results)})
}

// text writes samples as they come.
type text struct {
	w           *bufio.Writer
	openMetrics bool
	common      []commonText // by result

	of     *Metric
	begun  bool   // there is a sample of the metric
	labels string // of the session or the target at hand, to the end of all labels
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

func (t *text) metric(m *Metric) { t.of, t.begun = m, false }

func (t *text) session(i int) { t.labels = t.common[i].session }

func (t *text) target(i int) { t.labels = t.common[i].target }

func (t *text) add(value float64, own *labels) {
	if !t.begun {
		t.begun = true
		t.head()
	}
	line := append(t.w.AvailableBuffer(), t.of.Name...)
	line = append(line, '{')
	if own != nil {
		line = append(line, own.text...)
	}
	line = append(line, t.labels...)
	line = append(t.number(line, value), '\n')
	_, _ = t.w.Write(line)
}

// head writes what stands in front of the samples of a metric.
func (t *text) head() {
	name, kind := t.of.Name, "gauge"
	if t.of.Type == counter {
		kind = "counter"
		if t.openMetrics {
			name = strings.TrimSuffix(name, "_total")
		}
	}
	for _, s := range []string{"# HELP ", name, " ", t.of.Help, "\n# TYPE ", name, " ", kind, "\n"} {
		_, _ = t.w.WriteString(s)
	}
}

// number appends a value. OpenMetrics wants to see that it is not an integer.
func (t *text) number(line []byte, value float64) []byte {
	from := len(line)
	line = strconv.AppendFloat(line, value, 'g', -1, 64)
	if t.openMetrics && !math.IsInf(value, 0) && !math.IsNaN(value) && !bytes.ContainsAny(line[from:], "e.") {
		line = append(line, ".0"...)
	}
	return line
}
