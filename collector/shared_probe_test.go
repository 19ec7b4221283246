package collector

import (
	"context"
	"slices"
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

// TestScrapesShareAProbe has fifty scrapes overlap. The HMP receives one probe, and all scrapes
// have its result.
func TestScrapesShareAProbe(t *testing.T) {
	const scrapes = 50
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		apart     time.Duration // from one scrape to the next
		want      hmp.Result
	}{
		{"slow, at once", hmpsim.Delay(2*time.Second, valid()), 0, hmp.Valid},
		{"slow, one after the other", hmpsim.Delay(2*time.Second, valid()), time.Millisecond, hmp.Valid},
		{"hung, one after the other", hmpsim.Hang(), time.Millisecond, hmp.Timeout},
		{"hung in the body, one after the other", hmpsim.HangInBody(secretive()), time.Millisecond, hmp.Timeout},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			sim := r.studio(sessions{"playout": tt.behaviour})

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
				t.Errorf("the HMP has received %d probes, %d at once", seen.GETs, seen.MaxConcurrent)
			}
			if n := testutil.ToFloat64(r.metrics.coalesced); n != scrapes-1 {
				t.Errorf("coalesced %v probes, want %d", n, scrapes-1)
			}
		})
	}
}

// TestScrapesOfDifferentTimeouts has two scrapes that overlap. The second begins a second after
// the first, and one of them has less time.
func TestScrapesOfDifferentTimeouts(t *testing.T) {
	type answer struct {
		Result hmp.Result
		Up     float64
		After  time.Duration // from the beginning of the scrape
	}
	const less, more = "2.5", "10" // the probes have 2s and 9.5s
	tests := []struct {
		name          string
		behaviour     hmpsim.Behaviour
		headers       [2]string
		first, second answer
		gets          int
	}{
		{
			"the second has more time, and a result that the first did not wait for",
			hmpsim.Delay(4*time.Second, valid()), [2]string{less, more},
			answer{hmp.Timeout, 0, 2 * time.Second}, answer{hmp.Valid, 1, 5 * time.Second}, 2,
		}, {
			"the second has more time, and no result",
			hmpsim.Hang(), [2]string{less, more},
			answer{hmp.Timeout, 0, 2 * time.Second}, answer{hmp.Timeout, 0, 9500 * time.Millisecond}, 2,
		}, {
			"the second has more time, and the first has its result in time",
			hmpsim.Delay(1500*time.Millisecond, valid()), [2]string{less, more},
			answer{hmp.Valid, 1, 1500 * time.Millisecond}, answer{hmp.Valid, 1, 500 * time.Millisecond}, 1,
		}, {
			"the second has less time, and there is no response",
			hmpsim.Delay(8*time.Second, valid()), [2]string{more, less},
			answer{hmp.Valid, 1, 8 * time.Second}, answer{hmp.Timeout, 0, 2 * time.Second}, 1,
		}, {
			"the second has less time, and the headers have arrived",
			hmpsim.HangInBody(secretive()), [2]string{more, less},
			answer{hmp.Timeout, 1, 9500 * time.Millisecond}, answer{hmp.Timeout, 1, 2 * time.Second}, 1,
		},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			sim := r.studio(sessions{"playout": tt.behaviour})
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
				t.Errorf("the HMP has received %d probes, want %d", n, tt.gets)
			}
		})
	}
}

// TestReloadSharesProbes reloads eight times while an HMP hangs. The HMP receives one probe of a
// session at a time.
func TestReloadSharesProbes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.simulate("studio", sessions{"playout": hmpsim.Hang()})
		for range 8 {
			r.Apply(r.load(targetNamed("studio", "playout")))
			go r.probe(Request{})
			advance(time.Second)
		}
		advance(time.Minute)
		seen := sim.Stats().Accounts[tokenOf("playout")]
		if seen.MaxConcurrent != 1 || seen.GETs > 2 {
			t.Errorf("the HMP has received %d probes, %d at once", seen.GETs, seen.MaxConcurrent)
		}
	})
}

// TestOldConfigurationRecordsNothing reloads while a probe is under way. The scrape that waits
// for the probe gets its result, but the history does not.
func TestOldConfigurationRecordsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
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

// A lateClient answers after some time, even if the deadline is over.
type lateClient struct {
	client
	takes time.Duration
}

func (c lateClient) GetSession(context.Context, hmp.SessionRequest) (hmp.Answer, secret.Value) {
	advance(c.takes)
	return hmp.Answer{Result: hmp.Valid}, secret.Value{}
}

// TestWaitsUntilItsOwnDeadline has a probe end long after the scrape that started it. Another
// scrape with more time gets its result.
func TestWaitsUntilItsOwnDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
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

// TestManySessionsWithMoreTime has a scrape share probes that had too little time. Their retries
// run at once.
func TestManySessionsWithMoreTime(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		all, names := many(5, hmpsim.Delay(3*time.Second, valid()))
		r.simulate("studio", all)
		r.Apply(r.load(targetNamed("studio", names...)))
		go r.probe(Request{ScrapeTimeout: "2.5"})
		advance(time.Second)
		for _, result := range r.probe(Request{ScrapeTimeout: "8"}) {
			if !result.Valid() {
				t.Errorf("%s is %s after %v", result.Session, result.Result, result.Duration)
			}
		}
	})
}

// TestRetryBesideAHungTarget has a probe with too little time end while a scrape waits for a hung
// target. The scrape has the other session probed again.
func TestRetryBesideAHungTarget(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.simulate("hung", sessions{"a": hmpsim.Hang()})
		r.simulate("slow", sessions{"b": hmpsim.Delay(3*time.Second, valid())})
		r.Apply(r.load(targetNamed("hung", "a") + targetNamed("slow", "b")))
		go r.probe(Request{Target: "slow", ScrapeTimeout: "2.5"})
		advance(time.Second)
		if got := resultNames(r.probe(Request{ScrapeTimeout: "10"})); !slices.Equal(got, []hmp.Result{hmp.Timeout, hmp.Valid}) {
			t.Errorf("the results are %s", got)
		}
	})
}

// slowSessions configures playout with a token and archive with an API key. The HMP takes two
// seconds for each answer.
func (r *rig) slowSessions() *hmpsim.Server {
	r.t.Helper()
	slow := hmpsim.Delay(2*time.Second, valid())
	sim := r.simulate("studio", sessions{"playout": slow})
	addKeys(sim, sessions{"archive": slow})
	sim.Unauthenticated = hmpsim.Delay(2*time.Second, hmpsim.Unauthorized())
	r.Apply(r.load(targetNamed("studio", "playout") + keySession("archive", "archive")))
	return sim
}

// TestShortScrapesLeaveNoTrace has many scrapes with less time than the HMP takes. They change
// neither log nor history, and start no login.
func TestShortScrapesLeaveNoTrace(t *testing.T) {
	for _, header := range []string{"0.001", "0.2", "1"} {
		runInBubble(t, header, func(t *testing.T, r *rig) {
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
	}
}

// TestScrapeAmongShortOnes checks that short scrapes do not make another scrape fail, even if the
// probe takes long or needs a login.
func TestScrapeAmongShortOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.slowSessions()
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
			sim.RevokeTokens(keyOf("archive")) // the short scrapes notice it, but may not log in
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
