package scenarios

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// scrapeAll scrapes all paths at once and returns the pages.
func (e *exporter) scrapeAll(t *testing.T, paths []string, timeout time.Duration) (pages []page) {
	t.Helper()
	pages = make([]page, len(paths))
	var wg sync.WaitGroup
	for i, path := range paths {
		wg.Go(func() { pages[i] = e.scrape(t, path, timeout) })
	}
	wg.Wait()
	return pages
}

// countPages says how many pages are a 200 with valid sessions, a 503, or something else.
func countPages(pages []page) (good, refused, other int) {
	for _, p := range pages {
		switch {
		case p.status == 503:
			refused++
		case p.status == 200 && len(p.results()) > 0 && p.of("").only(len(p.results()), "valid"):
			good++
		default:
			other++
		}
	}
	return good, refused, other
}

// wrongPages says how many pages are anything but a 200 in time with the result timeout.
func wrongPages(pages []page, timeout time.Duration) (n int) {
	for _, p := range pages {
		if p.status != 200 || p.took > timeout || !p.of("").only(1, "timeout") {
			n++
		}
	}
	return n
}

// refusedScrapes returns the value of the counter of refused scrapes of /probe.
func (e *exporter) refusedScrapes(t *testing.T) int {
	t.Helper()
	text := e.scrape(t, "/metrics", 10*time.Second).value(`hmp_exporter_scrapes_refused_total{path="/probe"}`)
	if text == "" {
		t.Error("there is no hmp_exporter_scrapes_refused_total for /probe")
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Error(err)
	}
	return n
}

// TestManyHungTargets has 100 targets, of which 80 hang. Prometheus scrapes each by
// /probe, again while the scrapes of the hung ones are under way. The scrapes of the
// healthy ones are all answered, and all are valid.
func TestManyHungTargets(t *testing.T) {
	t.Parallel()
	const timeout, rounds = 4 * time.Second, 3
	sessions := []string{"playout"}
	healthy, hung := numbered("healthy", 20), numbered("hung", 80)
	configuration := "targets:\n"
	for _, target := range healthy {
		configuration += targetOf(target, serve(t, hmpWith(sessions, valid)), sessions)
	}
	hmp := hmpWith(sessions, hmpsim.Hang())
	for _, target := range hung {
		configuration += targetOf(target, serve(t, hmp), sessions)
	}
	e := start(t, "", configuration, "--no-collector.sessions")

	var hungPages []page
	var mu sync.Mutex
	var wg sync.WaitGroup
	good, refused, other := 0, 0, 0
	for range rounds {
		wg.Go(func() {
			pages := e.scrapeAll(t, probes(hung), timeout)
			mu.Lock()
			defer mu.Unlock()
			hungPages = append(hungPages, pages...)
		})
		exportertest.WaitFor(t, "the hung HMPs to be asked", func() bool { return hmp.Stats().GETs >= len(hung)/2 })
		g, r, o := countPages(e.scrapeAll(t, probes(healthy), timeout))
		good, refused, other = good+g, refused+r, other+o
	}
	wg.Wait()
	_, hungRefused, _ := countPages(hungPages)
	t.Logf("healthy targets: %d scrapes valid, %d answered with 503, %d otherwise; hung targets: %d answered with 503", good, refused, other, hungRefused)
	if want := rounds * len(healthy); good != want {
		t.Errorf("of %d scrapes of healthy targets only %d are valid", want, good)
	}
	if wrong := wrongPages(hungPages, timeout); wrong != 0 {
		t.Errorf("of %d scrapes of hung targets %d are late or without the result timeout", len(hungPages), wrong)
	}
	if n := e.refusedScrapes(t); n != refused+hungRefused {
		t.Errorf("%d scrapes were refused and %d counted", refused+hungRefused, n)
	}
}

// TestManySessionsOfAHungTarget has a scrape for each of the 120 sessions of a hung HMP, as
// with /sd?by=session. More than --web.max-requests are refused, and counted. Scrapes of
// other targets are not refused.
func TestManySessionsOfAHungTarget(t *testing.T) {
	t.Parallel()
	const timeout, rounds, limit = 5 * time.Second, 5, 40
	hung, sessions := numbered("hung", 120), []string{"playout"}
	healthy, hmp := numbered("healthy", 20), hmpWith(hung, hmpsim.Hang())
	configuration := "targets:\n" + targetOf("sick", serve(t, hmp), hung)
	for _, target := range healthy {
		configuration += targetOf(target, serve(t, hmpWith(sessions, valid)), sessions)
	}
	e := start(t, "", configuration, "--no-collector.sessions", fmt.Sprintf("--web.max-requests=%d", limit))

	var paths []string
	for _, s := range hung {
		paths = append(paths, "/probe?target=sick&session="+s)
	}
	var hungPages []page
	var wg sync.WaitGroup
	wg.Go(func() { hungPages = e.scrapeAll(t, paths, timeout) })
	exportertest.WaitFor(t, "the hung HMP to be asked", func() bool { return hmp.Stats().GETs > 0 })
	good, refused, other := 0, 0, 0
	for range rounds {
		g, r, o := countPages(e.scrapeAll(t, probes(healthy), timeout))
		good, refused, other = good+g, refused+r, other+o
	}
	wg.Wait()
	_, hungRefused, _ := countPages(hungPages)
	counted := e.refusedScrapes(t)
	t.Logf("healthy targets: %d scrapes valid, %d answered with 503, %d otherwise; hung target: %d answered with 503; counted as refused: %d", good, refused, other, hungRefused, counted)
	if want := rounds * len(healthy); good != want {
		t.Errorf("of %d scrapes of healthy targets only %d are valid", want, good)
	}
	if hungRefused == 0 || hungRefused > len(hung)-limit || counted != hungRefused+refused {
		t.Errorf("of %d scrapes of the hung target %d were refused and %d counted, with a limit of %d", len(hung), hungRefused, counted, limit)
	}
	if wrong := wrongPages(hungPages, timeout); wrong != hungRefused {
		t.Errorf("of %d scrapes of the hung target %d are late or without the result timeout, %d of these refused", len(hung), wrong, hungRefused)
	}
}

// probes returns the path of /probe for each target.
func probes(targets []string) (paths []string) {
	for _, target := range targets {
		paths = append(paths, "/probe?target="+target)
	}
	return paths
}
