package collector

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// oneHMP configures an HMP with n sessions that all answer alike.
func (r *rig) oneHMP(n int, b hmpsim.Behaviour) {
	r.t.Helper()
	answers, names := many(n, b)
	r.simulate("studio", answers)
	r.Apply(r.load(targetNamed("studio", names...)))
}

// expectCounts makes a scrape and checks how many sessions have each result.
func (r *rig) expectCounts(when string, want map[hmp.Result]int) []Result {
	r.t.Helper()
	results := r.probe(Request{})
	if diff := cmp.Diff(want, countResults(results)); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
	return results
}

// TestManySessions scrapes one HMP with many sessions. A probe without a slot by half of its
// time ends then: if it began later, it could blame an HMP that works.
func TestManySessions(t *testing.T) {
	tests := []struct {
		name     string
		slots, n int
		answer   hmpsim.Behaviour
		header   string
		want     map[hmp.Result]int
		took     time.Duration // at most
	}{
		{"fast", 256, 300, hmpsim.Delay(time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 300}, 38 * time.Millisecond},
		{"slow, with slots for all", 256, 200, hmpsim.Delay(200*time.Millisecond, valid()), "2", map[hmp.Result]int{hmp.Valid: 200}, 230 * time.Millisecond},
		{"slow, one after another", 256, 1000, hmpsim.Delay(1500*time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 1000}, 6200 * time.Millisecond},
		{"slow, with few slots", 4, 16, hmpsim.Delay(3*time.Second, valid()), "10.5", map[hmp.Result]int{hmp.Valid: 8, hmp.Saturated: 8}, 6 * time.Second},
		{"hung, with slots for all", 256, 200, hmpsim.Hang(), "1", map[hmp.Result]int{hmp.Timeout: 200}, 500 * time.Millisecond},
		{"hung, with little time", 256, 30, hmpsim.Hang(), "0.01", map[hmp.Result]int{hmp.Timeout: 8, hmp.Saturated: 22}, 5 * time.Millisecond},
		{"hung, with few slots", 256, 300, hmpsim.Hang(), "10", map[hmp.Result]int{hmp.Timeout: 300}, 9500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(tt.slots))
				r.oneHMP(tt.n, tt.answer)
				begin := time.Now()
				results := r.probe(Request{ScrapeTimeout: tt.header})
				if took := time.Since(begin); took > tt.took {
					t.Errorf("the scrape took %v, want at most %v", took, tt.took)
				}
				if diff := cmp.Diff(tt.want, countResults(results)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				for _, result := range results {
					if result.Result == hmp.Saturated && tt.slots == 4 && result.Duration != 5*time.Second {
						t.Errorf("%s is saturated after %v, want 5s", result.Session, result.Duration)
					}
					if _, sent := result.Up(); !sent && result.Result == hmp.Timeout && result.Reason != "no probe of this HMP was answered in time" {
						t.Errorf("%s sent nothing and has the reason %q", result.Session, result.Reason)
					}
				}
			})
		})
	}
}

// TestTimeoutIsSteady checks that a short wait for a slot does not change the timeout of a
// probe. There is one slot, so the second probe waits for the first.
func TestTimeoutIsSteady(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 9500 * time.Millisecond,
		time.Second:            8500 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, maxConcurrent(1))
			r.oneHMP(2, hmpsim.Delay(wait, valid()))
			var got []time.Duration
			for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
				got = append(got, result.Timeout)
			}
			slices.Sort(got)
			if diff := cmp.Diff([]time.Duration{want, 9500 * time.Millisecond}, got); diff != "" {
				t.Errorf("a wait of %v (-want +got):\n%s", wait, diff)
			}
		})
	}
}

// TestSaturated has a hung HMP use the only slot. The metrics of another HMP then do not say
// that it is down, neither to the scrape that started the probe nor to one that shares it.
func TestSaturated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(1))
		r.simulate("hung", sessions{"playout": hmpsim.Hang()})
		sim := r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetNamed("hung", "playout"), targetNamed("studio", "playout")))

		go r.probe(Request{Target: "hung"})
		synctest.Wait()
		for _, scrape := range []struct {
			timeout string
			took    time.Duration
		}{{"", 5 * time.Second}, {"2.5", 2 * time.Second}} {
			go func() {
				got, result := r.verdict(Request{Target: "studio", ScrapeTimeout: scrape.timeout}, sim)
				if diff := cmp.Diff(verdict{"saturated", absent, "0", "0", "", 0}, got); diff != "" || result.Duration != scrape.took {
					t.Errorf("after %v, want %v (-want +got):\n%s", result.Duration, scrape.took, diff)
				}
			}()
			synctest.Wait()
		}
		advance(time.Minute)
		if got, _ := r.verdict(Request{Target: "studio"}, sim); got.Result != "valid" {
			t.Errorf("with a slot: got %+v", got)
		}
	})
}

// TestSlotIsReleasedOnce has a probe wait twice without using its slot. Its time ends
// meanwhile, and the HMP has answered.
func TestSlotIsReleasedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimiter(1).target("studio", 0)
		s := &slot{limiter: limit, released: true}
		s.reacquire(time.Now().Add(time.Second))
		for range 2 {
			s.releaseIfSlow(answered, func() { advance(2 * idleSlotTimeout) })
			s.reacquire(time.Now())
		}
		s.release(answered)
		synctest.Wait()
		if limit.running != 0 || limit.limiter.running != 0 || limit.answers != 1 {
			t.Errorf("%d probes of the target are under way, %d of all, and %d answers", limit.running, limit.limiter.running, limit.answers)
		}
	})
}

// TestSaturatedSessionsComeFirst has more sessions than the HMP answers in time. In two scrapes each
// of them gets its turn. The reason names the limit of the target.
func TestSaturatedSessionsComeFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		answers, names := many(20, hmpsim.Delay(time.Second, valid()))
		r.simulate("studio", answers)
		r.Apply(r.load(targetWith("studio", "url: http://studio\nmax_concurrent: 2", names...)))
		r.snapshot.Load().sessions[19].state.timedOutAt = time.Now() // it comes last in the first scrape
		wasValid := make(map[string]bool)
		for range 2 {
			for _, result := range r.probe(Request{}) {
				if result.Valid() {
					wasValid[result.Session] = true
				} else if !strings.Contains(result.Reason, "max_concurrent: 2") {
					t.Errorf("%s is %s (%s)", result.Session, result.Result, result.Reason)
				}
			}
		}
		if len(wasValid) != len(names) {
			t.Errorf("%d of %d sessions were probed in two scrapes", len(wasValid), len(names))
		}
	})
}

// TestOverloadReachesEachTarget has more targets than slots, and all slots in use for the whole
// scrape. Each target gets a slot at times.
func TestOverloadReachesEachTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(4))
		answers, names := many(5, hmpsim.Delay(time.Second, valid()))
		var text string
		for i := range 6 {
			name := fmt.Sprintf("hmp-%d", i)
			r.simulate(name, answers)
			text += targetNamed(name, names...)
		}
		r.Apply(r.load(text))
		wasValid := make(map[string]bool)
		for range 2 {
			for _, result := range r.probe(Request{}) {
				if result.Valid() {
					wasValid[result.Target] = true
				}
			}
		}
		if len(wasValid) != 6 {
			t.Errorf("only %v were probed in two scrapes", wasValid)
		}
	})
}

// TestForgottenTarget checks that a busy target keeps its limit when it leaves the
// configuration. An older scrape may still use the limit of an idle target. The target that
// remains alone may have all slots at once.
func TestForgottenTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10)
		busy, remaining := l.target("busy", 1), l.target("remaining", 0)
		enqueue := func() slotChan {
			got := make(slotChan, 1)
			l.enqueue(&waiter{limiter: busy, since: time.Now(), startBy: time.Now().Add(time.Minute), task: got})
			return got
		}
		first, second := enqueue(), enqueue()
		if got := remaining.allowed(); got != 5 {
			t.Errorf("one of two targets may have %d slots, want 5", got)
		}
		l.forgetOthers(map[string]*target{"remaining": {}})
		if got := remaining.allowed(); got != 10 {
			t.Errorf("the only target may have %d slots, want 10", got)
		}
		advance(time.Second)
		if again := l.target("busy", 1); again != busy || busy.running != 1 {
			t.Errorf("%d probes are under way, want 1", again.running)
		}
		startGoroutine(busy.release(time.Now(), answered))
		if !<-first || !<-second {
			t.Error("a probe got no slot")
		}
		busy.release(time.Now(), answered)
		l.forgetOthers(nil)
		if !<-enqueue() {
			t.Error("a probe of an older configuration got no slot")
		}
	})
}

// TestQueueStaysSmall checks that a queue that is never empty does not grow.
func TestQueueStaysSmall(t *testing.T) {
	var f fifo[int]
	f.push(0)
	for i := range 10_000 {
		f.push(i + 1)
		if got := f.pop(); got != i {
			t.Fatalf("got %d, want %d", got, i)
		}
	}
	if cap(f.items) > 100 {
		t.Errorf("the queue has one item and the capacity for %d", cap(f.items))
	}
}

// TestLimitFollowsAnswers has 300 sessions for each HMP. An HMP gets as many probes at once as
// it needs, is allowed, and leaves to others.
func TestLimitFollowsAnswers(t *testing.T) {
	tests := []struct {
		name    string
		slots   int
		setting string        // of each target
		takes   time.Duration // for an answer
		want    map[string]int
	}{
		{"one HMP", 10, "", time.Second / 10, map[string]int{"studio": 10}},
		{"two HMPs", 10, "", time.Second / 100, map[string]int{"studio": 5, "tower": 5}},
		{"a fast HMP, with slots for more", 100, "", time.Millisecond, map[string]int{"studio": initialLimit}},
		{"a slow HMP, with slots for more", 100, "", time.Second, map[string]int{"studio": 100}},
		{"a slow HMP with a maximum", 100, "max_concurrent: 40", time.Second / 10, map[string]int{"studio": 40}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(tt.slots))
				counts := make(map[string]*concurrency)
				var targets []string
				for host := range tt.want {
					counts[host] = new(concurrency)
					answers, names := many(300, counts[host].counted(tt.takes))
					r.simulate(host, answers)
					targets = append(targets, targetWith(host, "url: http://"+host+"\n"+tt.setting, names...))
				}
				r.Apply(r.load(targets...))
				r.expectCounts("all answer", map[hmp.Result]int{hmp.Valid: 300 * len(targets)})
				got := make(map[string]int)
				for host, c := range counts {
					got[host] = c.highest
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("probes at once (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestLimitFalls has an HMP answer fast after it was slow. It then gets a few probes at once.
func TestLimitFalls(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for _, step := range []struct {
			takes time.Duration
			want  int
		}{{time.Second, 100}, {time.Millisecond, initialLimit}} {
			var c concurrency
			r.oneHMP(300, c.counted(step.takes))
			r.probe(Request{})
			if c.highest != step.want {
				t.Errorf("%d probes at once with answers after %v, want %d", c.highest, step.takes, step.want)
			}
			advance(interval)
		}
	})
}

// A concurrency counts the answers under way, and the highest number of them.
type concurrency struct {
	mu           sync.Mutex
	now, highest int
}

// counted returns a valid answer that takes some time and is counted.
func (c *concurrency) counted(takes time.Duration) hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, call hmpsim.Call) {
		c.add(1)
		advance(takes)
		c.add(-1)
		valid()(w, r, call)
	}
}

func (c *concurrency) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.highest = max(c.highest, c.now)
}
