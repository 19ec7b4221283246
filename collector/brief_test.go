package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

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

func (c lateClient) Session(context.Context, hmp.Request) (hmp.Answer, secret.Value) {
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
