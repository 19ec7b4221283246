package collector

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestHungHMP has one HMP of three hang. It costs nothing but its own sessions,
// and the scrape is back within what it has.
func TestHungHMP(t *testing.T) {
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		up        float64
		header    string
		took      time.Duration
	}{
		{"before headers", hmpsim.Hang(), 0, "", 10 * time.Second},
		{"before headers, within a scrape", hmpsim.Hang(), 0, "5", 4500 * time.Millisecond},
		{"in the body, within a scrape", hmpsim.HangInBody(lookalike()), 1, "5", 4500 * time.Millisecond},
		{"byte by byte, within a scrape", hmpsim.SlowBody(1, time.Second, lookalike()), 1, "5", 4500 * time.Millisecond},
		{"longer than its own timeout", hmpsim.Hang(), 0, "60", 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.simulate("studio", sessions{"a": valid(), "b": valid()})
				r.simulate("hung", sessions{"a": tt.behaviour, "b": tt.behaviour})
				r.simulate("lab", sessions{"a": valid(), "b": hmpsim.AuthUnavailable()})
				r.Apply(r.load(targetNamed("studio", "a", "b"), targetNamed("hung", "a", "b"), targetNamed("lab", "a", "b")))

				begin := time.Now()
				results := r.probe(Request{ScrapeTimeout: tt.header})
				if took := time.Since(begin); took != tt.took {
					t.Errorf("the scrape took %v, want %v", took, tt.took)
				}
				want := []hmp.Result{hmp.Valid, hmp.Valid, hmp.Timeout, hmp.Timeout, hmp.Valid, hmp.AuthUnavailable}
				if diff := cmp.Diff(want, resultNames(results)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				for _, result := range results {
					up, took := 1.0, time.Duration(0)
					if result.Target == "hung" {
						up, took = tt.up, tt.took
					}
					if got, _ := result.Up(); got != up || result.Duration != took || result.Timeout != tt.took {
						t.Errorf("%s: up %v after %v of %v, want %v after %v", result.Target, got, result.Duration, result.Timeout, up, took)
					}
				}
			})
		})
	}
}

// TestTimeouts lets each target have its own.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("studio", sessions{"a": hmpsim.Hang()})
		r.simulate("lab", sessions{"a": hmpsim.Hang()})
		r.Apply(r.load(
			targetWith("studio", "url: http://studio\ntimeout: 3s", "a"),
			targetWith("lab", "url: http://lab\ntimeout: 20s", "a"),
		))
		var took []time.Duration
		for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
			took = append(took, result.Duration)
		}
		if diff := cmp.Diff([]time.Duration{3 * time.Second, 9500 * time.Millisecond}, took); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
