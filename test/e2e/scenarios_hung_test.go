package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// settleTime is how long a request is under way before [hung] counts it. The request of a
// client that has gone may take so long to end.
const settleTime = 4 * time.Second

// hung is a behaviour that never answers. It counts the requests with the same token that are
// under way at once.
type hung struct {
	mu       sync.Mutex
	requests map[string]int
	max      int
}

func (h *hung) behave(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
	count := func(n int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.requests == nil {
			h.requests = make(map[string]int)
		}
		h.requests[c.Token] += n
		h.max = max(h.max, h.requests[c.Token])
	}
	timer := time.AfterFunc(settleTime, func() { count(1) })
	defer func() {
		if !timer.Stop() {
			count(-1)
		}
	}()
	hmpsim.Hang()(w, r, c)
}

// TestHungHMPsBesideAHealthyOne has two hung HMPs with 128 sessions each, and a healthy one
// with 300. In every scrape the 300 are valid, also after reloads and beside older scrapes.
// A hung HMP gets one GET of a session at a time.
func TestHungHMPsBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"default limit":                    nil,
		"limit smaller than hung sessions": {"--probe.max-concurrent=64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const hungSessions, healthySessions = 128, 300
			gets := [2]*hung{new(hung), new(hung)}
			bad, good := numbered("hung", hungSessions), numbered("healthy", healthySessions)
			healthy := newHMP(good, valid)
			s := startScenario(t, "", targetConfig("hung-1", serve(t, newHMP(bad, gets[0].behave)), bad)+
				targetConfig("hung-2", serve(t, newHMP(bad, gets[1].behave)), bad)+
				targetConfig("healthy", serve(t, healthy), good), append(args, "--web.enable-lifecycle")...)
			check := func(what string, p page) {
				healthy, hung := p.count("healthy"), p.count("hung")
				if p.status != 200 || p.took > scrapeTimeout || !healthy.only(healthySessions, "valid") || !hung.only(2*hungSessions, "timeout") {
					t.Errorf("%s: status %d after %v, healthy HMP %v, hung HMPs %v", what, p.status, p.took, healthy, hung)
				}
			}
			var wg sync.WaitGroup
			for round := range 3 {
				before := healthy.Stats().GETs
				wg.Go(func() { check(fmt.Sprintf("scrape %d, before a reload", round), s.metrics(t)) })
				exportertest.WaitFor(t, "the scrape to begin", func() bool { return healthy.Stats().GETs > before })
				s.reload(t)
				s.reload(t)
			}
			check("scrape beside others", s.metrics(t))
			wg.Wait()
			check("last scrape", s.metrics(t))
			for _, g := range gets {
				g.mu.Lock()
				if g.max != 1 {
					t.Errorf("a hung HMP got %d GETs of one session at once, want 1", g.max)
				}
				g.mu.Unlock()
			}
		})
	}
}

// countPages counts pages with only valid sessions, with a 503, and with only timeouts in time.
func countPages(pages []page) (good, refused, timedOut int) {
	for _, p := range pages {
		switch n := len(p.results()); {
		case p.status == 503:
			refused++
		case p.status == 200 && n > 0 && p.count("").only(n, "valid"):
			good++
		case p.status == 200 && n > 0 && p.count("").only(n, "timeout") && p.took <= scrapeTimeout:
			timedOut++
		}
	}
	return good, refused, timedOut
}

// refusedScrapes returns the counter of refused scrapes of /probe.
func (s *scenario) refusedScrapes(t *testing.T) int {
	t.Helper()
	for line := range strings.SplitSeq(s.metrics(t).text, "\n") {
		if value, ok := strings.CutPrefix(line, `hmp_exporter_scrapes_refused_total{path="/probe"} `); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Error(err)
			}
			return n
		}
	}
	t.Error("there is no hmp_exporter_scrapes_refused_total for /probe")
	return 0
}

// targetQueries returns the query of /probe for each target.
func targetQueries(targets []string) (queries []string) {
	for _, target := range targets {
		queries = append(queries, "target="+target)
	}
	return queries
}

// TestManyHungTargets has 100 targets, of which 80 hang. Prometheus scrapes each by /probe,
// and again before the first scrapes end. The healthy targets are valid.
func TestManyHungTargets(t *testing.T) {
	t.Parallel()
	const rounds = 3
	sessions, healthy, bad := []string{"playout"}, numbered("healthy", 20), numbered("hung", 80)
	config := ""
	for _, target := range healthy {
		config += targetConfig(target, serve(t, newHMP(sessions, valid)), sessions)
	}
	hmp := newHMP(sessions, hmpsim.Hang())
	for _, target := range bad {
		config += targetConfig(target, serve(t, hmp), sessions)
	}
	s := startScenario(t, "", config, "--no-collector.sessions")

	var hungPages, healthyPages []page
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range rounds {
		wg.Go(func() {
			pages := s.probeAll(t, targetQueries(bad))
			mu.Lock()
			defer mu.Unlock()
			hungPages = append(hungPages, pages...)
		})
		exportertest.WaitFor(t, "requests to the hung HMPs", func() bool { return hmp.Stats().GETs >= len(bad)/2 })
		healthyPages = append(healthyPages, s.probeAll(t, targetQueries(healthy))...)
	}
	wg.Wait()
	if good, refused, _ := countPages(healthyPages); good != rounds*len(healthy) {
		t.Errorf("of %d scrapes of healthy targets %d are valid and %d refused", len(healthyPages), good, refused)
	}
	if _, refused, timedOut := countPages(hungPages); timedOut != rounds*len(bad) {
		t.Errorf("of %d scrapes of hung targets %d have the result timeout and %d are refused", len(hungPages), timedOut, refused)
	}
	if n := s.refusedScrapes(t); n != 0 {
		t.Errorf("%d refused scrapes are counted, want none", n)
	}
}

// TestManySessionsOfAHungTarget has a scrape for each of the 120 sessions of a hung HMP, as
// with /sd?by=session. The exporter refuses more than --web.max-requests and counts them. It
// does not refuse scrapes of other targets.
func TestManySessionsOfAHungTarget(t *testing.T) {
	t.Parallel()
	const rounds, limit = 5, 40
	bad, sessions := numbered("hung", 120), []string{"playout"}
	healthy, hmp := numbered("healthy", 20), newHMP(bad, hmpsim.Hang())
	config := targetConfig("sick", serve(t, hmp), bad)
	for _, target := range healthy {
		config += targetConfig(target, serve(t, newHMP(sessions, valid)), sessions)
	}
	s := startScenario(t, "", config, "--no-collector.sessions", fmt.Sprintf("--web.max-requests=%d", limit))

	var queries []string
	for _, session := range bad {
		queries = append(queries, "target=sick&session="+session)
	}
	var hungPages, healthyPages []page
	var wg sync.WaitGroup
	wg.Go(func() { hungPages = s.probeAll(t, queries) })
	exportertest.WaitFor(t, "requests to the hung HMP", func() bool { return hmp.Stats().GETs > 0 })
	for range rounds {
		healthyPages = append(healthyPages, s.probeAll(t, targetQueries(healthy))...)
	}
	wg.Wait()
	if good, refused, _ := countPages(healthyPages); good != rounds*len(healthy) {
		t.Errorf("of %d scrapes of healthy targets %d are valid and %d refused", len(healthyPages), good, refused)
	}
	_, refused, timedOut := countPages(hungPages)
	if refused == 0 || refused > len(bad)-limit || timedOut != len(bad)-refused {
		t.Errorf("of %d scrapes of the hung target %d are refused and %d have the result timeout, with a limit of %d", len(bad), refused, timedOut, limit)
	}
	if n := s.refusedScrapes(t); n != refused {
		t.Errorf("%d refused scrapes are counted, want %d", n, refused)
	}
}
