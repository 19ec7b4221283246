package main

import (
	"fmt"
	"slices"
)

// results are the measurements of each turn, one for every round.
type results map[string][]measurement

// A figure is the median of the rounds, with the least and the most.
type figure struct {
	median, least, most float64
	rounds              int
}

func figureOf(values []float64) figure {
	if len(values) == 0 {
		return figure{}
	}
	values = slices.Sorted(slices.Values(values))
	return figure{
		median: (values[(len(values)-1)/2] + values[len(values)/2]) / 2,
		least:  values[0],
		most:   values[len(values)-1],
		rounds: len(values),
	}
}

// of returns the figure of a turn.
func (r results) of(key string, value func(measurement) float64) figure {
	return r.pair(key, key, func(m, _ measurement) float64 { return value(m) })
}

// ratio returns how many times as much one turn needs as another.
func (r results) ratio(key, to string, value func(measurement) float64) figure {
	return r.pair(key, to, func(m, other measurement) float64 { return value(m) / value(other) })
}

// over returns how much more one turn needs than another.
func (r results) over(key, other string, value func(measurement) float64) figure {
	return r.pair(key, other, func(m, other measurement) float64 { return value(m) - value(other) })
}

// pair compares two turns round by round.
func (r results) pair(key, with string, compare func(m, other measurement) float64) figure {
	var values []float64
	for i := range min(len(r[key]), len(r[with])) {
		values = append(values, compare(r[key][i], r[with][i]))
	}
	return figureOf(values)
}

// What of a measurement is looked at.
func cpu(m measurement) float64       { return m.cpu }
func p50(m measurement) float64       { return m.p50 }
func p99(m measurement) float64       { return m.p99 }
func longest(m measurement) float64   { return m.most }
func perSecond(m measurement) float64 { return m.perSecond }
func share(m measurement) float64     { return m.share }
func peak(m measurement) float64      { return m.peak }
func overIdle(m measurement) float64  { return m.overIdle }
func resident(m measurement) float64  { return m.resident }
func start(m measurement) float64     { return m.start }
func binary(m measurement) float64    { return m.binary }

// A unit is how values are written: so many of it in one of the base unit.
type unit struct {
	name   string
	factor float64
}

var (
	times   = unit{"×", 1}
	perSec  = unit{"/s", 1}
	percent = unit{"%", 100}
	micros  = unit{"µs", 1e6}
	millis  = unit{"ms", 1e3}
	seconds = unit{"s", 1}
	kB      = unit{"kB", 1e-3}
	mB      = unit{"MB", 1e-6}
)

// per is the unit for each of n.
func (u unit) per(n int) unit { return unit{u.name, u.factor / float64(n)} }

// value writes a value without its unit.
func (u unit) value(v float64) string {
	v *= u.factor
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1 || v <= -1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// figure writes a median and, in parentheses, the range.
func (u unit) figure(f figure) string {
	if f.rounds == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s to %s)", u.value(f.median), u.value(f.least), u.value(f.most))
}

// grouped writes a count with commas.
func grouped(n int) string {
	text := fmt.Sprint(n)
	if n >= 1000 {
		text = fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return text
}
