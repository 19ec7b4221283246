package collector

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestSaturated has one slot, and a probe of an HMP that hangs takes it. The metrics then
// say nothing of the other HMP, and not that it is down.
func TestSaturated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(1))
		r.simulate("hung", sessions{"playout": hmpsim.Hang()})
		sim := r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("hung", "playout"), targetNamed("studio", "playout")))

		hung := make(chan struct{})
		go func() {
			defer close(hung)
			r.probe(Request{Target: "hung"})
		}()
		synctest.Wait()
		got, _ := r.verdict(Request{Target: "studio"}, sim)
		if diff := cmp.Diff(verdict{"saturated", absent, "0", "0", "", 0}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		<-hung
		if got, _ := r.verdict(Request{Target: "studio"}, sim); got.Result != "valid" {
			t.Errorf("there is a slot again: got %+v", got)
		}
	})
}

// TestUnansweredSessions has an HMP fill its own slots and answer none of them: its other
// sessions, of which nothing was sent, are no sign of a lack of slots.
func TestUnansweredSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(1))
		r.simulate("studio", sessions{"a": hmpsim.Hang(), "b": hmpsim.Hang()})
		r.Apply(r.load(targetNamed("studio", "a", "b")))
		sent, waited := 0, Result{}
		for _, result := range r.probe(Request{}) {
			if _, known := result.Up(); known {
				sent++
			} else {
				waited = result
			}
			if result.Result != hmp.Timeout {
				t.Errorf("%s is %s, want timeout", result.Session, result.Result)
			}
		}
		if sent != 1 || waited.Reason != "no probe of this HMP was answered in time" {
			t.Errorf("%d probes were sent, and the other says %q", sent, waited.Reason)
		}
	})
}

// TestSaturatedJoiner shares a probe that waits for a slot, and cannot wait as long.
func TestSaturatedJoiner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(1))
		r.simulate("hung", sessions{"playout": hmpsim.Hang()})
		sim := r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("hung", "playout"), targetNamed("studio", "playout")))

		var others sync.WaitGroup
		defer others.Wait()
		for _, name := range []string{"hung", "studio"} {
			others.Go(func() { r.probe(Request{Target: name}) })
			synctest.Wait()
		}
		got, result := r.verdict(Request{Target: "studio", ScrapeTimeout: "2.5"}, sim)
		if diff := cmp.Diff(verdict{"saturated", absent, "0", "0", "", 0}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if want := 2 * time.Second; result.Duration != want {
			t.Errorf("took %v, want %v", result.Duration, want)
		}
	})
}

// TestHungTargetLeavesSlots has one target take all that it can of the slots. The
// others do not notice.
func TestHungTargetLeavesSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 10
		r := newRig(t, maxConcurrent(slots))
		hung, names := many(3*slots, hmpsim.Hang())
		r.simulate("hung", hung)
		sim := r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("hung", names...), targetNamed("studio", "playout")))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.probe(Request{Target: "hung"})
		}()
		for range 5 {
			synctest.Wait()
			begin := time.Now()
			got, _ := r.verdict(Request{Target: "studio"}, sim)
			if got.Result != "valid" || time.Since(begin) > 0 {
				t.Errorf("got %+v after %v", got, time.Since(begin))
			}
			advance(time.Second)
		}
		<-ended
	})
}

// TestHungTargetWithinScrape is the same within one scrape, in which the hung target
// comes first: its sessions wait, and the others do not wait for them.
func TestHungTargetWithinScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 10
		r := newRig(t, maxConcurrent(slots))
		hung, names := many(3*slots, hmpsim.Hang())
		r.simulate("hung", hung)
		r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("hung", names...), targetNamed("studio", "playout")))
		results := r.probe(Request{})
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Timeout: 3 * slots, hmp.Valid: 1}, countResults(results)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if last := results[len(results)-1]; last.Duration > 0 {
			t.Errorf("a session of the other target took %v", last.Duration)
		}
	})
}

// TestHungTargetIsProbedAgain has an HMP hang, however few slots there are: it is probed at
// every scrape, and valid when it answers again.
func TestHungTargetIsProbedAgain(t *testing.T) {
	for _, slots := range []int{1, 2, 3, 10} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, maxConcurrent(slots))
			sim := r.simulate("hung", sessions{"playout": hmpsim.Hang()})
			r.simulate("studio", sessions{"playout": valid()})
			r.Apply(r.load(targetNamed("hung", "playout"), targetNamed("studio", "playout")))
			for range 3 {
				if got := r.probe(Request{Target: "hung"})[0]; got.Result != hmp.Timeout || !got.sent() {
					t.Errorf("%d slots: %s, sent %v", slots, got.Result, got.sent())
				}
			}
			sim.SetToken(tokenOf("playout"), valid())
			if got := r.probe(Request{Target: "hung"})[0]; !got.Valid() {
				t.Errorf("%d slots: it answers, and the result is %s", slots, got.Result)
			}
		})
	}
}

// TestSlotIsReleasedOnce has a probe wait for something else than its HMP, twice, and its
// time run out meanwhile.
func TestSlotIsReleasedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimiter(1).target("studio", 0)
		p := &slot{limit: limit, released: true}
		p.regain(time.Now().Add(time.Second))
		for range 2 {
			p.lend(func() { advance(2 * idleSlotTimeout) })
			p.regain(time.Now())
		}
		p.release(noFeedback)
		if limit.running != 0 || limit.limiter.running != 0 {
			t.Errorf("%d probes of the target are under way, and %d of all", limit.running, limit.limiter.running)
		}
	})
}
