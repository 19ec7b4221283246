package web

import (
	"fmt"
	"math"
	"strings"
	"time"

	"hmp_exporter/collector"
)

// A strip is a drawing of the last probes: a bar for each, the newest at the right. One
// that failed is as high as the strip; of others the height is the latency.
type strip struct {
	Bars []bars
	Text string // what it shows, in words
}

// bars are those of one result, as the outline of an SVG path: a fraction of the size
// that an element for each would have.
type bars struct{ Word, Path string }

// The strip has a place of stripStep for each of collector.MaxPoints probes.
const (
	stripHeight = 40
	stripStep   = 4
	wellHeight  = 26 // of a probe that took longest of those that went well
)

// stripOf draws points, the newest first.
func stripOf(points []collector.Point, now time.Time) strip {
	var longest time.Duration
	wells := 0
	for _, p := range points {
		if p.ResultName == well {
			longest = max(longest, p.Duration)
			wells++
		}
	}
	paths := make(map[string]*strings.Builder)
	for i, p := range points {
		b := paths[p.ResultName]
		if b == nil {
			b = new(strings.Builder)
			paths[p.ResultName] = b
		}
		height := stripHeight
		if p.ResultName == well {
			height = 6 + int((wellHeight-6)*math.Sqrt(p.Duration.Seconds()/max(longest.Seconds(), 1e-9)))
		}
		fmt.Fprintf(b, "M%d %dv-%dh3v%[3]dz", stripStep*(collector.MaxPoints-1-i), stripHeight, height)
	}
	s := strip{Text: "not probed yet"}
	for _, word := range gravest {
		if b := paths[word]; b != nil {
			s.Bars = append(s.Bars, bars{word, b.String()})
		}
	}
	if n := len(points); n > 0 {
		s.Text = fmt.Sprintf("%s, %d valid, the oldest %s", count(n, "probe"), wells, momentOf(points[n-1].Start, now, 0).Ago)
	}
	return s
}

// A part is one phase of a probe, or another part of its time, as a bar of 100 units shows it.
type part struct {
	Name, Took string
	X, Width   float64
}

// partsOf returns the phases of a probe, and what text says of them.
func partsOf(r *collector.Result) (parts []part, text string) {
	total := r.Phases.Total()
	if total <= 0 {
		return nil, ""
	}
	var texts []string
	x := 0.0
	for _, p := range r.Phases.Each() {
		took, width := latency(p.Took), math.Round(1000*p.Took.Seconds()/total.Seconds())/10
		parts = append(parts, part{p.Name, took, x, width})
		texts = append(texts, p.Name+" "+took)
		x = math.Round(10*(x+width)) / 10
	}
	return parts, commas(texts)
}
