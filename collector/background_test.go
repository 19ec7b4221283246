package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestProbeEvery checks probes without a scrape: all sessions at once, then each session once
// per interval, spread over it. They follow a reload and end with the context.
func TestProbeEvery(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
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
		expectProbes := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if got := studio.Stats().GETs; got != want {
				t.Errorf("%s: %d probes, want %d", when, got, want)
			}
		}
		advance(time.Millisecond)
		expectProbes("at the start", 4)
		for _, result := range r.Last() {
			always(t, hmp.Valid)(result)
		}
		for step := range 3 {
			advance(5 * time.Second)
			expectProbes("within the interval", 4+1+step)
		}
		advance(5 * time.Second)
		expectProbes("after an interval", 4+4)

		r.probe(Request{})
		expectProbes("after a scrape", 8+4)
		r.Apply(r.load(targetNamed("studio", append(names, "added")...)))
		advance(time.Millisecond)
		expectProbes("after a reload", 12+1)
		advance(40 * time.Second)
		expectProbes("two intervals later", 13+3+5+1)

		stop()
		<-ended
		advance(time.Minute)
		expectProbes("after the end", 13+3+5+1)
	})
}

// TestProbeEveryDuringShortScrape checks that a background probe is recorded, although it
// shares the probe of a short scrape.
func TestProbeEveryDuringShortScrape(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.studio(sessions{"playout": hmpsim.Delay(2*time.Second, valid())})
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
