package collector

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// manySessions configures one HMP with so many sessions, all of which answer alike.
func (r *rig) manySessions(n int, b hmpsim.Behaviour) *hmpsim.Server {
	r.t.Helper()
	answers, names := many(n, b)
	sim := r.simulate("studio", answers)
	r.Apply(r.load(targetNamed("studio", names...)))
	return sim
}

// countResults counts results by their name.
func countResults(results []Result) map[hmp.Result]int {
	counts := make(map[hmp.Result]int)
	for _, o := range resultNames(results) {
		counts[o]++
	}
	return counts
}

// TestManySessions scrapes one HMP with many sessions. That the limit is low at first
// costs none of them its result, nor much of its time.
func TestManySessions(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		answer hmpsim.Behaviour
		header string
		want   map[hmp.Result]int
		took   time.Duration // at most
	}{
		{"fast", 300, hmpsim.Delay(time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 300}, 38 * time.Millisecond},
		{"slow, with slots for all", 200, hmpsim.Delay(200*time.Millisecond, valid()), "2", map[hmp.Result]int{hmp.Valid: 200}, 230 * time.Millisecond},
		{"slow, in four turns", 1000, hmpsim.Delay(1500*time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 1000}, 6200 * time.Millisecond},
		{"hung, with slots for all", 200, hmpsim.Hang(), "1", map[hmp.Result]int{hmp.Timeout: 200}, 500 * time.Millisecond},
		{"hung, with little time", 30, hmpsim.Hang(), "0.01", map[hmp.Result]int{hmp.Timeout: 8, hmp.Saturated: 22}, 5 * time.Millisecond},
		{"hung, without slots for all", 300, hmpsim.Hang(), "10", map[hmp.Result]int{hmp.Timeout: 300}, 9500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(256))
				r.manySessions(tt.n, tt.answer)
				begin := time.Now()
				results := r.probe(Request{ScrapeTimeout: tt.header})
				if took := time.Since(begin); took > tt.took {
					t.Errorf("the scrape took %v, want at most %v", took, tt.took)
				}
				if diff := cmp.Diff(tt.want, countResults(results)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSaturatedAtHalf is that a probe which does not begin by half of the time is told
// of then, and does not begin any more: one that is cut short would blame the HMP.
func TestSaturatedAtHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(4))
		r.manySessions(16, hmpsim.Delay(3*time.Second, valid()))
		results := r.probe(Request{ScrapeTimeout: "10.5"})
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 8, hmp.Saturated: 8}, countResults(results)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, result := range results {
			if result.Result == hmp.Saturated && result.Duration != 5*time.Second {
				t.Errorf("%s is told to be saturated after %v, want 5s", result.Session, result.Duration)
			}
		}
	})
}

// TestPairOfScrapers has two scrape more sessions than there are slots, one some
// seconds after the other. Both get all results, and share what has not ended, whether
// it has begun or not.
func TestPairOfScrapers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 600
		r := newRig(t, maxConcurrent(256))
		sim := r.manySessions(n, hmpsim.Delay(2*time.Second, valid()))
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				advance(time.Duration(i) * 3 * time.Second)
				if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: n}, countResults(r.probe(Request{ScrapeTimeout: "10.5"}))); diff != "" {
					t.Errorf("scraper %d (-want +got):\n%s", i, diff)
				}
			})
		}
		both.Wait()
		if gets := sim.Stats().GETs; gets > 860 { // 256 had ended when the second one came
			t.Errorf("the HMP had %d requests, of which each scraper makes %d alone", gets, n)
		}
	})
}

// TestTimeoutIsSteady is that the time that probes had does not vary by what it takes to
// begin them, as long as that is little. There is one place, so that the second probe waits
// as long as the first one takes.
func TestTimeoutIsSteady(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 9500 * time.Millisecond,
		time.Second:            8500 * time.Millisecond,
	} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(1))
				r.manySessions(2, hmpsim.Delay(wait, valid()))
				var got []time.Duration
				for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
					got = append(got, result.Timeout)
				}
				slices.Sort(got)
				if diff := cmp.Diff([]time.Duration{want, 9500 * time.Millisecond}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
