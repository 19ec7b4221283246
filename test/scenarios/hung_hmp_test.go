package scenarios

import (
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// hungScrape is the scrape timeout where HMPs hang. A probe of one lasts this long, less the offset.
const hungScrape = 6 * time.Second

// A hungPair is two HMPs that accept connections and never answer, beside a healthy one, and their exporter.
type hungPair struct {
	*exporter
	hung, healthy int // sessions of each hung HMP, and of the healthy one
	asked         func() int
	gets          [2]*hanging
}

func startHungPair(t *testing.T, hung, healthy int, args ...string) *hungPair {
	t.Helper()
	p := &hungPair{hung: hung, healthy: healthy, gets: [2]*hanging{new(hanging), new(hanging)}}
	hungSessions, healthySessions := numbered("hung", hung), numbered("healthy", healthy)
	hmp := hmpWith(healthySessions, valid)
	p.asked = func() int { return hmp.Stats().GETs }
	p.exporter = start(t, "", "targets:\n"+
		targetOf("hung-1", serve(t, hmpWith(hungSessions, p.gets[0].behave)), hungSessions)+
		targetOf("hung-2", serve(t, hmpWith(hungSessions, p.gets[1].behave)), hungSessions)+
		targetOf("healthy", serve(t, hmp), healthySessions), append(args, "--web.enable-lifecycle")...)
	return p
}

// check fails the test if a page is late, a healthy session is not valid, or a hung one is not timeout.
func (h *hungPair) check(t *testing.T, what string, p page) {
	t.Helper()
	healthy, hung := p.of("healthy"), p.of("hung")
	if p.status != 200 || p.took > hungScrape || !healthy.only(h.healthy, "valid") || !hung.only(2*h.hung, "timeout") {
		t.Errorf("%s: status %d after %v, healthy HMP %v, hung HMPs %v", what, p.status, p.took.Round(10*time.Millisecond), healthy, hung)
	}
}

// checkGETs fails the test if a hung HMP saw more than one GET of a session at once.
func (h *hungPair) checkGETs(t *testing.T) {
	t.Helper()
	for _, g := range h.gets {
		if most := g.atOnce(); most != 1 {
			t.Errorf("a hung HMP saw %d GETs of one session at once, want 1", most)
		}
	}
}

// TestHungHMPsBesideAHealthyOne has two hung HMPs with 128 sessions each, and a healthy one
// with 300. Every scrape confirms the 300, also after reloads, and beside a scrape that
// began before them.
func TestHungHMPsBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"places by default":                  nil,
		"fewer places than sessions hanging": {"--probe.max-concurrent=64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHungPair(t, 128, 300, args...)
			h.check(t, "the first scrape", h.scrape(t, "/metrics", hungScrape))
			h.reload(t)
			h.check(t, "after a reload", h.scrape(t, "/metrics", hungScrape))

			var under page // under way during reloads
			var wg sync.WaitGroup
			before := h.asked()
			wg.Go(func() { under = h.scrape(t, "/metrics", hungScrape) })
			exportertest.WaitFor(t, "the scrape to begin", func() bool { return h.asked() > before })
			h.reload(t)
			h.reload(t)
			h.check(t, "beside a scrape from before a reload", h.scrape(t, "/metrics", hungScrape))
			wg.Wait()
			h.check(t, "from before a reload", under)
			h.checkGETs(t)
		})
	}
}

// TestReloadsWhileHMPsHang reloads an unchanged configuration eight times, and scrapes after
// each, while the probes of the scrapes before are under way. A hung HMP sees one GET of a
// session at a time.
func TestReloadsWhileHMPsHang(t *testing.T) {
	t.Parallel()
	h := startHungPair(t, 8, 50)
	pages := make([]page, 8)
	var wg sync.WaitGroup
	for i := range pages {
		h.reload(t)
		before, done := h.asked(), make(chan struct{})
		wg.Go(func() {
			defer close(done)
			pages[i] = h.scrape(t, "/metrics", hungScrape)
		})
		exportertest.WaitFor(t, "the healthy HMP to be asked for most sessions", func() bool {
			select {
			case <-done:
				return true
			default:
				return h.asked() >= before+h.healthy*2/3 // a few share the probe of the scrape before
			}
		})
	}
	wg.Wait()
	for _, p := range pages {
		h.check(t, "after a reload", p)
	}
	h.checkGETs(t)
}
