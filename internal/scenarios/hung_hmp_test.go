package scenarios

import (
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// TestHungHMPsBesideAHealthyOne has two HMPs that accept connections and never answer, and
// a healthy one with 300 sessions. Every scrape confirms the 300, also after reloads in
// quick succession. The hung HMPs see one GET of a session at a time.
func TestHungHMPsBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		hung int // sessions of each hung HMP
		args []string
	}{
		{"many sessions hang", 128, nil},
		{"more sessions hang than there are places", 128, []string{"--probe.max-concurrent=64"}},
		{"a few sessions hang", 8, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hungBesideHealthy(t, c.hung, append(c.args, "--web.enable-lifecycle")...)
		})
	}
}

func hungBesideHealthy(t *testing.T, sessions int, args ...string) {
	t.Helper()
	const timeout, reloads = 5 * time.Second, 8
	healthy, hung := numbered("healthy", 300), numbered("hung", sessions)
	hmp := hmpWith(healthy, valid)
	gets := []*hanging{new(hanging), new(hanging)}
	e := start(t, "", "targets:\n"+
		targetOf("hung-1", serve(t, hmpWith(hung, gets[0])), hung)+
		targetOf("hung-2", serve(t, hmpWith(hung, gets[1])), hung)+
		targetOf("healthy", serve(t, hmp), healthy), args...)

	check := func(what string, p page) {
		healthyOnes, hungOnes := p.of("healthy"), p.of("hung")
		if p.status == 200 && p.took <= timeout && healthyOnes.only(300, "valid") && hungOnes.only(2*sessions, "timeout") {
			return
		}
		t.Errorf("%s: status %d after %v, healthy HMP %v, hung HMPs %v", what, p.status, p.took.Round(10*time.Millisecond), healthyOnes, hungOnes)
	}
	check("the first scrape", e.scrape(t, "/metrics", timeout))
	e.reload(t)
	check("a scrape after a reload", e.scrape(t, "/metrics", timeout))

	// Each scrape begins while the hung probes of those before it are under way.
	pages := make([]page, reloads)
	var wg sync.WaitGroup
	for i := range reloads {
		e.reload(t)
		before, done := hmp.Stats().GETs, make(chan struct{})
		wg.Go(func() {
			defer close(done)
			pages[i] = e.scrape(t, "/metrics", timeout)
		})
		exportertest.WaitFor(t, "the healthy HMP to be asked for most sessions", func() bool {
			select {
			case <-done:
				return true
			default:
				return hmp.Stats().GETs >= before+len(healthy)*2/3 // a few share the probe of the scrape before
			}
		})
	}
	wg.Wait()
	for _, p := range pages {
		check("one of the scrapes after eight reloads", p)
	}
	for _, g := range gets {
		if most := g.atOnce(); most != 1 {
			t.Errorf("a hung HMP saw %d GETs of one session at once, want 1", most)
		}
	}
}
