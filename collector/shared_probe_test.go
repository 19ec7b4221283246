package collector

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestCoalescing lets fifty scrapes overlap: the HMP sees one probe.
func TestCoalescing(t *testing.T) {
	const scrapes = 50
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		apart     time.Duration // from one scrape to the next
		want      hmp.Result
	}{
		{"slow, at once", hmpsim.Delay(2*time.Second, valid()), 0, hmp.Valid},
		{"slow, one after the other", hmpsim.Delay(2*time.Second, valid()), time.Millisecond, hmp.Valid},
		{"broken, one after the other", hmpsim.Delay(2*time.Second, hmpsim.BadGateway()), time.Millisecond, hmp.HTTPError},
		{"hung, at once", hmpsim.Hang(), 0, hmp.Timeout},
		{"hung, one after the other", hmpsim.Hang(), time.Millisecond, hmp.Timeout},
		{"hung in the body, one after the other", hmpsim.HangInBody(lookalike()), time.Millisecond, hmp.Timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", sessions{"playout": tt.behaviour})
				r.Apply(r.load(targetNamed("studio", "playout")))

				var results [scrapes][]Result
				var wg sync.WaitGroup
				for i := range results {
					wg.Go(func() { results[i] = r.probe(Request{Target: "studio"}) })
					advance(tt.apart)
				}
				wg.Wait()
				for _, got := range results {
					if diff := cmp.Diff(results[0], got); diff != "" || got[0].Result != tt.want {
						t.Fatalf("want %s for all (-first +another):\n%s", tt.want, diff)
					}
				}
				seen := sim.Stats().Accounts[tokenOf("playout")]
				if seen.GETs != 1 || seen.MaxConcurrent != 1 {
					t.Errorf("the HMP has seen %d probes, %d at once", seen.GETs, seen.MaxConcurrent)
				}
				if n := testutil.ToFloat64(r.metrics.coalesced); n != scrapes-1 {
					t.Errorf("coalesced %v probes, want %d", n, scrapes-1)
				}
			})
		})
	}
}

// TestFresh sees that nothing is kept for a later scrape.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("studio", "playout")))
		for i, behaviour := range []hmpsim.Behaviour{valid(), hmpsim.NoRoles(), valid()} {
			sim.SetToken(tokenOf("playout"), behaviour)
			got, _ := r.verdict(Request{Target: "studio"}, sim)
			if want := []string{"valid", "no_roles", "valid"}[i]; got.Result != want || got.GETs != i+1 {
				t.Errorf("scrape %d: got %+v, want %s", i, got, want)
			}
		}
		if n := testutil.ToFloat64(r.metrics.coalesced); n != 0 {
			t.Errorf("coalesced %v probes that did not overlap", n)
		}
	})
}

// TestScrapesOfDifferentTimeouts has two scrapes that overlap, the second one
// second after the first, and only one of them is in a hurry.
func TestScrapesOfDifferentTimeouts(t *testing.T) {
	// What a scrape saw, and when it was told, from its beginning.
	type answer struct {
		Result hmp.Result
		Up     float64
		After  time.Duration
	}
	const hurried, patient = "2.5", "10" // timeouts of 2s and 9.5s
	tests := []struct {
		name          string
		behaviour     hmpsim.Behaviour
		headers       [2]string
		first, second answer
		gets          int
	}{
		{
			"the second is patient, and finds what the first had no time for",
			hmpsim.Delay(4*time.Second, valid()), [2]string{hurried, patient},
			answer{hmp.Timeout, 0, 2 * time.Second}, answer{hmp.Valid, 1, 5 * time.Second}, 2,
		}, {
			"the second is patient, in vain",
			hmpsim.Hang(), [2]string{hurried, patient},
			answer{hmp.Timeout, 0, 2 * time.Second}, answer{hmp.Timeout, 0, 9500 * time.Millisecond}, 2,
		}, {
			"the second is patient, and the first has its answer in time",
			hmpsim.Delay(1500*time.Millisecond, valid()), [2]string{hurried, patient},
			answer{hmp.Valid, 1, 1500 * time.Millisecond}, answer{hmp.Valid, 1, 500 * time.Millisecond}, 1,
		}, {
			"the second is in a hurry, and nothing has come",
			hmpsim.Delay(8*time.Second, valid()), [2]string{patient, hurried},
			answer{hmp.Valid, 1, 8 * time.Second}, answer{hmp.Timeout, 0, 2 * time.Second}, 1,
		}, {
			"the second is in a hurry, and headers have come",
			hmpsim.HangInBody(lookalike()), [2]string{patient, hurried},
			answer{hmp.Timeout, 1, 9500 * time.Millisecond}, answer{hmp.Timeout, 1, 2 * time.Second}, 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", sessions{"playout": tt.behaviour})
				r.Apply(r.load(targetNamed("studio", "playout")))
				var got [2]answer
				var wg sync.WaitGroup
				for i, header := range tt.headers {
					wg.Go(func() {
						begin := time.Now()
						result := r.probe(Request{Target: "studio", ScrapeTimeout: header})[0]
						up, _ := result.Up()
						got[i] = answer{result.Result, up, time.Since(begin)}
						if (result.StatusCode != 0) != (up == 1) {
							t.Errorf("scrape %d: status %d with up %v", i, result.StatusCode, up)
						}
					})
					advance(time.Second)
				}
				wg.Wait()
				if diff := cmp.Diff([2]answer{tt.first, tt.second}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if n := sim.Stats().GETs; n != tt.gets {
					t.Errorf("the HMP has seen %d probes, want %d", n, tt.gets)
				}
			})
		})
	}
}
