package collector

import "testing"

// A probe that gets its place when its time is over has not had less than no time.
func TestNoNegativeTimeout(t *testing.T) {
	r := newRig(t, maxConcurrent(1))
	r.Apply(r.load(targetNamed("studio", "a", "b", "c", "d")))
	for range 5000 {
		results, err := r.Probe(Request{ScrapeTimeout: "0.0001"})
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range results {
			noNegative(t, result)
		}
	}
}
