package web

import (
	"fmt"
	"math"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

// The size of a history chart in SVG units. Each of [collector.MaxPoints] probes has a step.
const (
	chartHeight = 40
	chartStep   = 4
	// A failed probe has the full height. Valid probes are smaller: the slower, the higher.
	minValidHeight = 6
	maxValidHeight = 26
)

// A historyChart has a bar for each of the last probes, the newest at the right.
type historyChart struct {
	Paths []resultPath
	Text  string // for readers who do not see the chart
}

// A resultPath is an SVG path with all bars of a result. Single elements would be larger.
type resultPath struct{ Result, Path string }

// newHistoryChart draws points, the newest first.
func newHistoryChart(points []collector.Point) historyChart {
	var slowest time.Duration
	validCount := 0
	for _, p := range points {
		if p.ResultName == valid {
			slowest = max(slowest, p.Duration)
			validCount++
		}
	}
	paths := make(map[string]string)
	for i, p := range points {
		height := chartHeight
		if p.ResultName == valid {
			height = minValidHeight + int((maxValidHeight-minValidHeight)*math.Sqrt(p.Duration.Seconds()/max(slowest.Seconds(), 1e-9)))
		}
		paths[p.ResultName] += fmt.Sprintf("M%d %dv-%dh3v%[3]dz", chartStep*(collector.MaxPoints-1-i), chartHeight, height)
	}
	chart := historyChart{Text: "not probed yet"}
	for _, name := range bySeverity {
		if path := paths[name]; path != "" {
			chart.Paths = append(chart.Paths, resultPath{name, path})
		}
	}
	if n := len(points); n > 0 {
		chart.Text = fmt.Sprintf("%s, %d valid, the oldest %s", report.Plural(n, "probe"), validCount, relative(time.Until(points[n-1].Start)))
	}
	return chart
}

// A phaseBar is a phase of a probe as a part of a bar of 100 units.
type phaseBar struct {
	Name, Took string
	X, Width   float64
}

// newPhaseBars returns a bar for each phase of a probe, or nil if no phase occurred.
func newPhaseBars(r *collector.Result) (bars []phaseBar) {
	total := r.Phases.Total()
	if total <= 0 {
		return nil
	}
	x := 0.0
	for _, p := range r.Phases.Each() {
		width := math.Round(1000*p.Took.Seconds()/total.Seconds()) / 10
		bars = append(bars, phaseBar{p.Name, latency(p.Took), x, width})
		x = math.Round(10*(x+width)) / 10
	}
	return bars
}
