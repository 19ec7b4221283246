package collector

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
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

// TestReloadSharesProbes reloads eight times while an HMP hangs: it sees one probe of a
// session at a time.
func TestReloadSharesProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"playout": hmpsim.Hang()})
		for range 8 {
			r.Apply(r.load(targetNamed("studio", "playout")))
			go r.probe(Request{})
			advance(time.Second)
		}
		advance(time.Minute)
		seen := sim.Stats().Accounts[tokenOf("playout")]
		if seen.MaxConcurrent != 1 || seen.GETs > 2 {
			t.Errorf("the HMP has seen %d probes, %d at once", seen.GETs, seen.MaxConcurrent)
		}
	})
}

// TestOldConfigurationRecordsNothing reloads while a probe is under way. What it ends in
// reaches the scrape that waits for it and replaces nothing.
func TestOldConfigurationRecordsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("old", sessions{"playout": hmpsim.Delay(5*time.Second, hmpsim.NoRoles())})
		r.simulate("new", sessions{"playout": valid()})
		r.Apply(r.load(targetWith("studio", "url: http://old", "playout")))
		results := make(chan []Result)
		go func() { results <- r.probe(Request{}) }()
		synctest.Wait()
		r.Apply(r.load(targetWith("studio", "url: http://new", "playout")))
		if got := r.probe(Request{})[0]; !got.Valid() {
			t.Errorf("with the new configuration: %s", got.Result)
		}
		if got := (<-results)[0].Result; got != hmp.NoRoles {
			t.Errorf("with the old configuration: %s", got)
		}
		if h := r.history("playout"); !h.Last.Valid() || len(h.Points) != 1 {
			t.Errorf("the last result is %s, and there are %d", h.Last.Result, len(h.Points))
		}
	})
}

// A lateClient answers whatever the deadline is.
type lateClient struct {
	client
	takes time.Duration
}

func (c lateClient) Session(context.Context, hmp.SessionRequest) (hmp.Answer, secret.Value) {
	advance(c.takes)
	return hmp.Answer{Result: hmp.Valid}, secret.Value{}
}

// TestWaitsUntilItsOwnDeadline has a probe end long after the scrape that it was started
// for. Another scrape with more time has its result.
func TestWaitsUntilItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Apply(r.load(targetNamed("studio", "playout")))
		studio := r.snapshot.Load().byName["studio"]
		studio.client = lateClient{client: studio.client, takes: 4 * time.Second}
		go func() {
			if got := r.probe(Request{ScrapeTimeout: "2.5"})[0].Result; got != hmp.Timeout {
				t.Errorf("the first scrape got %s", got)
			}
		}()
		advance(time.Second)
		if got := r.probe(Request{ScrapeTimeout: "10"})[0]; !got.Valid() {
			t.Errorf("the second scrape got %s after %v", got.Result, got.Duration)
		}
	})
}

// slowSessions configures a session with a token, playout, and one with a key, archive. The
// HMP takes two seconds for each answer.
func (r *rig) slowSessions() *hmpsim.Server {
	r.t.Helper()
	slow := hmpsim.Delay(2*time.Second, valid())
	sim := r.simulate("studio", sessions{"playout": slow})
	addKeys(sim, sessions{"archive": slow})
	r.Apply(r.load(targetNamed("studio", "playout") +
		"      - {name: archive, api_key: " + keyOf("archive") + ", api_secret: " + secretOf("archive") + "}\n"))
	return sim
}

// TestBriefScrapesLeaveNoTrace has a scraper ask again and again with hardly any time, of
// an HMP that takes longer. Log, page and history do not follow it, and it starts no login.
func TestBriefScrapesLeaveNoTrace(t *testing.T) {
	for _, header := range []string{"0.001", "0.2", "1"} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.slowSessions()
				for range 100 {
					r.probe(Request{ScrapeTimeout: header})
					advance(100 * time.Millisecond)
				}
				if log := r.log.String(); log != "" {
					t.Errorf("the log has:\n%s", log)
				}
				for _, s := range r.Summaries() {
					if h := r.history(s.Session); s.ResultName != "" || len(h.Points) > 0 {
						t.Errorf("%s: the history has %+v", s.Session, h.Points)
					}
				}
				if n := sim.Stats().POSTs; n != 0 {
					t.Errorf("%d logins", n)
				}
			})
		})
	}
}

// TestScrapeAmongBriefOnes is that a scraper in a hurry does not cost another one its
// result: neither where it takes long nor where it takes a login.
func TestScrapeAmongBriefOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.slowSessions()
		end := make(chan struct{})
		go func() {
			for {
				select {
				case <-end:
					return
				case <-time.After(50 * time.Millisecond):
					r.probe(Request{ScrapeTimeout: "0.2"})
				}
			}
		}()
		for range 3 {
			advance(time.Second)
			for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
				if !result.Valid() {
					t.Errorf("%s is %s (%s)", result.Session, result.Result, result.Reason)
				}
			}
		}
		close(end)
		synctest.Wait()
		for _, last := range r.Last() {
			if !last.Valid() {
				t.Errorf("the last result of %s is %q", last.Session, last.ResultName())
			}
		}
	})
}
