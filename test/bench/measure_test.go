package main

import (
	"testing"
	"time"
)

// TestSince is that a figure does not come of more or fewer requests than probes.
func TestSince(t *testing.T) {
	before := hmpReport{GETs: 100, Others: 3}
	for _, c := range []struct {
		name         string
		gets, others int
		ok           bool
	}{
		{"as many", 110, 3, true},
		{"shared", 109, 3, false},
		{"made twice", 111, 3, false},
		{"of another kind", 110, 4, false},
	} {
		if err := (hmpReport{GETs: c.gets, Others: c.others}).since(before, 10); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, c := range []struct {
		values  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100},
		{hundred[:1], 50, 1}, {hundred[:1], 99, 1}, {hundred[:10], 99, 10}, {hundred[:3], 50, 2},
	} {
		if got := percentile(c.values, c.percent); got != c.want {
			t.Errorf("percentile %d of %d values is %d, want %d", c.percent, len(c.values), got, c.want)
		}
	}
}
