package main

import "testing"

func TestFigures(t *testing.T) {
	r := results{
		"ours":  {{cpu: 3e-6, p50: 4e-3}, {cpu: 10e-6, p50: 5e-3}, {cpu: 4e-6, p50: 7e-3}},
		"floor": {{cpu: 2e-6, p50: 1e-3}, {cpu: 5e-6, p50: 1e-3}, {cpu: 1e-6, p50: 1e-3}},
		"even":  {{cpu: 1}, {cpu: 4}, {cpu: 2}, {cpu: 30}},
	}
	for _, c := range []struct{ name, got, want string }{
		{"median and range", micros.figure(r.of("ours", cpu)), "4.00 (3.00 to 10.0)"},
		{"of an even number", seconds.figure(r.of("even", cpu)), "3.00 (1.00 to 30.0)"},
		{"ratio of each round", times.figure(r.ratio("ours", "floor", cpu)), "2.00 (1.50 to 4.00)"},
		{"difference of each round", millis.figure(r.over("ours", "floor", p50)), "4.00 (3.00 to 6.00)"},
		{"for each of many", micros.per(2).figure(r.of("ours", cpu)), "2.00 (1.50 to 5.00)"},
		{"not measured", micros.figure(r.of("none", cpu)), "–"},
		{"compared with what was not measured", times.figure(r.ratio("ours", "none", cpu)), "–"},
		{"digits", micros.value(123456e-6) + " " + micros.value(-12.34e-6) + " " + micros.value(0.1234e-6), "123456 -12.3 0.123"},
		{"grouped", grouped(1) + " " + grouped(999) + " " + grouped(10_000) + " " + grouped(1_005), "1 999 10,000 1,005"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		})
	}
}

func TestHeld(t *testing.T) {
	for _, c := range []struct {
		name    string
		promise promise
		figure  figure
		want    bool
	}{
		{"a ratio below its goal", promise{goal: 2}, figure{median: 1.9, most: 3}, true},
		{"a ratio above", promise{goal: 2}, figure{median: 2.1, least: 1, most: 3}, false},
		{"a bound that held in every round", promise{goal: 2, always: true}, figure{median: 1, most: 2}, true},
		{"a bound that did not", promise{goal: 2, always: true}, figure{median: 1, most: 2.1}, false},
		{"so many times and more", promise{goal: 3, least: true}, figure{median: 3.5, least: 2}, true},
		{"fewer", promise{goal: 3, least: true}, figure{median: 2.5, most: 4}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.promise.held(c.figure); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
