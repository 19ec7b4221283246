package collector

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// startHMPs starts n HMPs with the same sessions, and returns the YAML of their targets.
func (r *rig) startHMPs(n int, name string, s sessions) (targets []string) {
	r.t.Helper()
	for i := range n {
		host := name + "-" + strconv.Itoa(i)
		r.simulate(host, s)
		targets = append(targets, targetNamed(host, slices.Sorted(maps.Keys(s))...))
	}
	return targets
}

// TestHungTargetsStarveNobody has two HMPs hang, from the beginning or after they answered.
// They use a few slots. The sessions of another HMP are valid in every scrape, also after
// reloads that change nothing.
func TestHungTargetsStarveNobody(t *testing.T) {
	for name, answersFirst := range map[string]bool{"from the beginning": false, "after they answered": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(256))
				var hang atomic.Bool
				hung, names := many(128, func(w http.ResponseWriter, req *http.Request, c hmpsim.Call) {
					if hang.Load() {
						hmpsim.Hang()(w, req, c)
					} else {
						valid()(w, req, c)
					}
				})
				r.simulate("hung-a", hung)
				r.simulate("hung-b", hung)
				healthy, healthyNames := many(300, hmpsim.Delay(20*time.Millisecond, valid()))
				r.simulate("studio", healthy)
				apply := func() {
					r.Apply(r.load(targetNamed("hung-a", names...), targetNamed("hung-b", names...), targetNamed("studio", healthyNames...)))
				}
				apply()
				if answersFirst {
					r.expectCounts("all answer", map[hmp.Result]int{hmp.Valid: 556})
				}
				hang.Store(true)
				for range 4 {
					sent := make(map[string]int)
					for _, result := range r.expectCounts("two HMPs hang", map[hmp.Result]int{hmp.Valid: 300, hmp.Timeout: 256}) {
						if result.sent() {
							sent[result.Target]++
						}
					}
					if a, b := sent["hung-a"], sent["hung-b"]; min(a, b) == 0 || max(a, b) > initialLimit {
						t.Errorf("%d and %d probes of hung HMPs were sent, want a few", a, b)
					}
					apply()
				}
				hang.Store(false)
				r.expectCounts("all answer again", map[hmp.Result]int{hmp.Valid: 556})
			})
		})
	}
}

// TestManyHungTargets has 80 of 100 HMPs hang, the first ones of the configuration.
func TestManyHungTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(256))
		hung, _ := many(10, hmpsim.Hang())
		healthy, _ := many(10, valid())
		r.Apply(r.load(append(r.startHMPs(80, "hung", hung), r.startHMPs(20, "healthy", healthy)...)...))
		for range 3 {
			r.expectCounts("80 HMPs hang", map[hmp.Result]int{hmp.Valid: 200, hmp.Timeout: 800})
		}
	})
}

// TestMoreHungTargetsThanSlots has more HMPs hang than there are slots. An HMP that answered
// before comes first.
func TestMoreHungTargetsThanSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(4))
		r.simulate("studio", sessions{"a": valid()})
		r.Apply(r.load(append(r.startHMPs(8, "hung", sessions{"a": hmpsim.Hang()}), targetNamed("studio", "a"))...))
		r.probe(Request{Target: "studio"})
		for range 3 {
			if results := r.probe(Request{}); !results[8].Valid() {
				t.Errorf("the HMP that answers is %s", results[8].Result)
			}
		}
	})
}

// TestHungSessionsOfOneTarget has an HMP answer half of its sessions. They are valid in every
// scrape. The collector notices when one of the others answers again.
func TestHungSessionsOfOneTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(64))
		r.simulate("lab", sessions{"a": valid()})
		answers, names := many(50, hmpsim.Hang())
		for _, name := range names[:50:50] {
			answers["valid-"+name] = valid()
			names = append(names, "valid-"+name)
		}
		sim := r.simulate("studio", answers)
		r.Apply(r.load(targetNamed("lab", "a"), targetNamed("studio", names...)))
		for range 4 { // until the collector knows which sessions hang, whatever the order of the first probes
			r.probe(Request{})
		}
		for range 3 {
			r.expectCounts("half of the sessions hang", map[hmp.Result]int{hmp.Valid: 51, hmp.Timeout: 50})
		}
		sim.SetToken(tokenOf(names[49]), valid())
		for n := 0; r.history(names[49]).Last.Result != hmp.Valid; n++ {
			if r.probe(Request{}); n == 10 {
				t.Fatal("a session answers again, and ten scrapes did not notice it")
			}
		}
		for _, name := range names[:50] {
			sim.SetToken(tokenOf(name), valid())
		}
		r.expectCounts("all answer again", map[hmp.Result]int{hmp.Valid: 101})
	})
}

// TestHungTargetIsProbedAgain has an HMP hang, however few slots there are. It is probed in
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

// TestSlowTargetAmongMany has one of many HMPs take most of the time for an answer, and one of
// its sessions hang. At first it gets a few slots. Once it has answered, all its sessions begin
// at once.
func TestSlowTargetAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(256))
		slow, names := many(10, hmpsim.Delay(6*time.Second, valid()))
		slow["s9"] = hmpsim.Hang()
		r.simulate("slow", slow)
		r.Apply(r.load(append(r.startHMPs(64, "fast", sessions{"a": valid()}), targetNamed("slow", names...))...))
		for range 3 {
			r.probe(Request{})
			advance(interval)
		}
		r.expectCounts("the HMP is slow", map[hmp.Result]int{hmp.Valid: 73, hmp.Timeout: 1})
	})
}
