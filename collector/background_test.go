package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestProbeEvery probes without a scrape: all sessions at once, then each once an interval,
// spread over it. It follows a reload and ends with its context.
func TestProbeEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		all, names := many(4, valid())
		all["added"] = valid()
		studio := r.simulate("studio", all)
		r.Apply(r.load(targetNamed("studio", names...)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.ProbeEvery(ctx, 20*time.Second)
		}()
		probed := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if got := studio.Stats().GETs; got != want {
				t.Errorf("%s: %d probes, want %d", when, got, want)
			}
		}
		advance(time.Millisecond)
		probed("at the start", 4)
		for _, result := range r.Last() {
			always(t, hmp.Valid)(result)
		}
		for step := range 3 {
			advance(5 * time.Second)
			probed("within the interval", 4+1+step)
		}
		advance(5 * time.Second)
		probed("after an interval", 4+4)

		r.probe(Request{})
		probed("after a scrape", 8+4)
		r.Apply(r.load(targetNamed("studio", append(names, "added")...)))
		advance(time.Millisecond)
		probed("after a reload", 12+1)
		advance(40 * time.Second)
		probed("two intervals later", 13+3+5+1)

		stop()
		<-ended
		advance(time.Minute)
		probed("after the end", 13+3+5+1)
	})
}

// TestProbeEveryBesideBriefScrapes checks that a probe of its own is recorded, even if it
// shares that of a scrape that leaves no trace.
func TestProbeEveryBesideBriefScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("studio", sessions{"playout": hmpsim.Delay(2*time.Second, valid())})
		r.Apply(r.load(targetNamed("studio", "playout")))
		go r.probe(Request{ScrapeTimeout: "0.2"})
		synctest.Wait()
		r.probeInBackground(r.snapshot.Load().sessions...)
		advance(3 * time.Second)
		synctest.Wait()
		if got := r.Last()[0]; !got.Valid() {
			t.Errorf("the last result is %q", got.ResultName())
		}
	})
}
