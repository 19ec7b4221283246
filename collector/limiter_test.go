package collector

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// manySessions configures one HMP with so many sessions, all of which answer alike.
func (r *rig) manySessions(n int, b hmpsim.Behaviour) {
	r.t.Helper()
	answers, names := many(n, b)
	r.simulate("studio", answers)
	r.Apply(r.load(targetNamed("studio", names...)))
}

// TestManySessions scrapes one HMP with many sessions. That the limit is low at first
// costs none of them its result, nor much of its time.
func TestManySessions(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		answer hmpsim.Behaviour
		header string
		want   map[hmp.Result]int
		took   time.Duration // at most
	}{
		{"fast", 300, hmpsim.Delay(time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 300}, 38 * time.Millisecond},
		{"slow, with slots for all", 200, hmpsim.Delay(200*time.Millisecond, valid()), "2", map[hmp.Result]int{hmp.Valid: 200}, 230 * time.Millisecond},
		{"slow, in four turns", 1000, hmpsim.Delay(1500*time.Millisecond, valid()), "10", map[hmp.Result]int{hmp.Valid: 1000}, 6200 * time.Millisecond},
		{"hung, with slots for all", 200, hmpsim.Hang(), "1", map[hmp.Result]int{hmp.Timeout: 200}, 500 * time.Millisecond},
		{"hung, with little time", 30, hmpsim.Hang(), "0.01", map[hmp.Result]int{hmp.Timeout: 8, hmp.Saturated: 22}, 5 * time.Millisecond},
		{"hung, without slots for all", 300, hmpsim.Hang(), "10", map[hmp.Result]int{hmp.Timeout: 300}, 9500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(256))
				r.manySessions(tt.n, tt.answer)
				begin := time.Now()
				results := r.probe(Request{ScrapeTimeout: tt.header})
				if took := time.Since(begin); took > tt.took {
					t.Errorf("the scrape took %v, want at most %v", took, tt.took)
				}
				if diff := cmp.Diff(tt.want, countResults(results)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSaturatedAtHalf is that a probe which does not begin by half of the time is told
// of then, and does not begin any more: one that is cut short would blame the HMP.
func TestSaturatedAtHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(4))
		r.manySessions(16, hmpsim.Delay(3*time.Second, valid()))
		results := r.probe(Request{ScrapeTimeout: "10.5"})
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 8, hmp.Saturated: 8}, countResults(results)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, result := range results {
			if result.Result == hmp.Saturated && result.Duration != 5*time.Second {
				t.Errorf("%s is told to be saturated after %v, want 5s", result.Session, result.Duration)
			}
		}
	})
}

// TestTimeoutIsSteady is that the time that probes had does not vary by what it takes to
// begin them, as long as that is little. There is one place, so that the second probe waits
// as long as the first one takes.
func TestTimeoutIsSteady(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 9500 * time.Millisecond,
		time.Second:            8500 * time.Millisecond,
	} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(1))
				r.manySessions(2, hmpsim.Delay(wait, valid()))
				var got []time.Duration
				for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
					got = append(got, result.Timeout)
				}
				slices.Sort(got)
				if diff := cmp.Diff([]time.Duration{want, 9500 * time.Millisecond}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

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
		p.reacquire(time.Now().Add(time.Second))
		for range 2 {
			p.releaseIfSlow(noFeedback, func() { advance(2 * idleSlotTimeout) })
			p.reacquire(time.Now())
		}
		p.release(noFeedback)
		if limit.running != 0 || limit.limiter.running != 0 {
			t.Errorf("%d probes of the target are under way, and %d of all", limit.running, limit.limiter.running)
		}
	})
}

// TestForgottenTarget checks that a target that leaves the configuration while it is busy
// keeps its limit, and that one that was idle may still be used by an older scrape.
func TestForgottenTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10)
		none := func(string) bool { return false }
		busy := l.target("busy", 1)
		got := []slotChan{make(slotChan, 1), make(slotChan, 1)}
		for _, g := range got {
			l.enqueue(&waiter{limit: busy, since: time.Now(), startBy: time.Now().Add(time.Minute), task: g})
		}
		l.forget(none)
		advance(time.Second) // the limiter looks after the queue
		if again := l.target("busy", 1); again != busy || busy.running != 1 {
			t.Errorf("%d probes are under way, want 1", again.running)
		}
		startGoroutine(busy.release(time.Now(), answered))
		if !<-got[0] || !<-got[1] {
			t.Error("a probe got no slot")
		}
		busy.release(time.Now(), answered)
		l.forget(none)
		late := make(slotChan, 1)
		l.enqueue(&waiter{limit: busy, since: time.Now(), startBy: time.Now().Add(time.Minute), task: late})
		if !<-late {
			t.Error("a probe of an older configuration got no slot")
		}
	})
}

// TestLentSlotKeepsItsFeedback checks that a slow version request does not hide that the HMP
// has answered.
func TestLentSlotKeepsItsFeedback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLimiter(1).target("studio", 0)
		p := &slot{limit: limit, released: true}
		p.reacquire(time.Now().Add(time.Second))
		p.releaseIfSlow(answered, func() { advance(2 * idleSlotTimeout) })
		p.release(answered)
		synctest.Wait()
		if limit.lastAnswer.IsZero() || limit.answers != 1 {
			t.Errorf("the HMP has answered %d times, want 1", limit.answers)
		}
		other := &slot{limit: limit, released: true}
		if !other.reacquire(time.Now().Add(time.Second)) || p.reacquire(time.Now().Add(time.Second)) {
			t.Error("a probe without a slot goes on")
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
		t.Errorf("one item takes the room of %d", cap(f.items))
	}
}

// hungBeside configures HMPs that hang, with so many sessions each, in front of one that
// answers 300 sessions.
func (r *rig) hungBeside(sessions int, behaviour hmpsim.Behaviour, hosts ...string) (apply func()) {
	var targets []string
	for _, host := range hosts {
		hung, names := many(sessions, behaviour)
		r.simulate(host, hung)
		targets = append(targets, targetNamed(host, names...))
	}
	well, names := many(300, hmpsim.Delay(20*time.Millisecond, valid()))
	r.simulate("studio", well)
	targets = append(targets, targetNamed("studio", names...))
	return func() { r.Apply(r.load(targets...)) }
}

// sentOf counts the results of a target of which something was sent.
func sentOf(target string, results []Result) (n int) {
	for i := range results {
		if results[i].Target == target && results[i].sent() {
			n++
		}
	}
	return n
}

// TestHungTargetsStarveNobody has two HMPs hang, from the beginning or after they answered.
// They hold a handful of slots, and the sessions of another HMP are valid in every
// scrape, also after reloads that change nothing.
func TestHungTargetsStarveNobody(t *testing.T) {
	for name, answersFirst := range map[string]bool{"from the beginning": false, "after they answered": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(256))
				var hang atomic.Bool
				behaviour := func(w http.ResponseWriter, req *http.Request, c hmpsim.Call) {
					if hang.Load() {
						hmpsim.Hang()(w, req, c)
					} else {
						valid()(w, req, c)
					}
				}
				apply := r.hungBeside(128, behaviour, "hung-a", "hung-b")
				apply()
				if answersFirst {
					if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 556}, countResults(r.probe(Request{}))); diff != "" {
						t.Errorf("all answer (-want +got):\n%s", diff)
					}
				}
				hang.Store(true)
				for scrape := range 4 {
					results := r.probe(Request{ScrapeTimeout: "10"})
					if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 300, hmp.Timeout: 256}, countResults(results)); diff != "" {
						t.Errorf("scrape %d (-want +got):\n%s", scrape, diff)
					}
					for _, host := range []string{"hung-a", "hung-b"} {
						if n := sentOf(host, results); n == 0 || n > initialLimit {
							t.Errorf("scrape %d: %d probes of %s were sent, want a handful", scrape, n, host)
						}
					}
					apply()
				}
				hang.Store(false)
				if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 556}, countResults(r.probe(Request{}))); diff != "" {
					t.Errorf("all answer again (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestManyHungTargets has 80 of 100 HMPs hang, the first ones of the configuration.
func TestManyHungTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(256))
		var targets []string
		for i := range 100 {
			host := "hmp-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
			behaviour := valid()
			if i < 80 {
				behaviour = hmpsim.Hang()
			}
			answers, names := many(10, behaviour)
			r.simulate(host, answers)
			targets = append(targets, targetNamed(host, names...))
		}
		r.Apply(r.load(targets...))
		for scrape := range 3 {
			if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 200, hmp.Timeout: 800}, countResults(r.probe(Request{}))); diff != "" {
				t.Errorf("scrape %d (-want +got):\n%s", scrape, diff)
			}
		}
	})
}

// TestMoreHungTargetsThanSlots has more HMPs hang than there are slots. An HMP that answered
// before comes first.
func TestMoreHungTargetsThanSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(4))
		var targets []string
		for i := range 8 {
			host := "hung-" + strconv.Itoa(i)
			r.simulate(host, sessions{"a": hmpsim.Hang()})
			targets = append(targets, targetNamed(host, "a"))
		}
		r.simulate("studio", sessions{"a": valid()})
		r.Apply(r.load(append(targets, targetNamed("studio", "a"))...))
		r.probe(Request{Target: "studio"})
		for range 3 {
			if results := r.probe(Request{}); !results[8].Valid() {
				t.Errorf("the HMP that answers is %s", results[8].Result)
			}
		}
	})
}

// TestHungSessionsOfOneTarget has an HMP answer some of its sessions only. These sessions
// are valid in every scrape. The hung ones all get another chance.
func TestHungSessionsOfOneTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(64))
		r.simulate("lab", sessions{"a": valid()})
		hung, hungNames := many(50, hmpsim.Hang())
		for i := range 50 {
			hung["well-"+hungNames[i]] = valid()
			hungNames = append(hungNames, "well-"+hungNames[i])
		}
		sim := r.simulate("studio", hung)
		r.Apply(r.load(targetNamed("lab", "a"), targetNamed("studio", hungNames...)))
		for range 4 { // until the collector knows which sessions hang, whatever the order of the first probes
			r.probe(Request{})
		}
		for range 3 {
			if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 51, hmp.Timeout: 50}, countResults(r.probe(Request{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		sim.SetToken(tokenOf(hungNames[49]), valid())
		for n := 0; r.history(hungNames[49]).Last.Result != hmp.Valid; n++ {
			if r.probe(Request{}); n == 10 {
				t.Fatal("the last session answers again, and ten scrapes did not notice it")
			}
		}
		for _, name := range hungNames[:50] {
			sim.SetToken(tokenOf(name), valid())
		}
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 101}, countResults(r.probe(Request{}))); diff != "" {
			t.Errorf("all answer again (-want +got):\n%s", diff)
		}
	})
}

// TestLimitFollowsAnswers has many more sessions than there are slots: they do not all go to an HMP
// in one instant, nor one after the other.
func TestLimitFollowsAnswers(t *testing.T) {
	tests := []struct {
		name   string
		slots  int
		answer time.Duration  // time to one
		want   map[string]int // probes at once, by host
	}{
		{"one HMP", 10, time.Second / 10, map[string]int{"studio": 10}},
		{"two HMPs", 10, time.Second / 100, map[string]int{"studio": 5, "tower": 5}},
		{"a fast HMP, with slots for more", 100, time.Millisecond, map[string]int{"studio": 8}},
		{"a slow HMP, with slots for more", 100, time.Second, map[string]int{"studio": 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(tt.slots))
				seen := make(map[string]*pace)
				var targets []string
				for host := range tt.want {
					seen[host] = new(pace)
					answers, names := many(300, seen[host].counted(tt.answer, valid()))
					r.simulate(host, answers)
					targets = append(targets, targetNamed(host, names...))
				}
				r.Apply(r.load(targets...))

				for _, o := range resultNames(r.probe(Request{})) {
					if o != hmp.Valid {
						t.Fatalf("a session is %s", o)
					}
				}
				got := make(map[string]int)
				for host, p := range seen {
					got[host] = p.most
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
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for _, step := range []struct {
			answer time.Duration
			most   int
		}{{time.Second, 100}, {time.Millisecond, initialLimit}} {
			var p pace
			r.manySessions(300, p.counted(step.answer, valid()))
			r.probe(Request{})
			if p.most != step.most {
				t.Errorf("%d probes at once with answers after %v, want %d", p.most, step.answer, step.most)
			}
			advance(interval)
		}
	})
}

// A pace is how many answers are being made at once, and the most that ever were.
type pace struct {
	mu        sync.Mutex
	now, most int
}

// counted answers as b, after some work that is counted.
func (p *pace) counted(work time.Duration, b hmpsim.Behaviour) hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		p.add(1)
		time.Sleep(work) // of the fake clock
		p.add(-1)
		b(w, r, c)
	}
}

func (p *pace) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now += n
	p.most = max(p.most, p.now)
}

// An HMP that refuses more than ten requests at once answers all sessions, if it is told so.
func TestMaxConcurrent(t *testing.T) {
	for _, tt := range []struct {
		setting string
		want    hmp.Result // of some session
	}{
		{"max_concurrent: 10", hmp.Valid},
		{"max_concurrent: 0", hmp.HTTPError},
	} {
		t.Run(tt.setting, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				var p pace
				answers, names := many(40, func(w http.ResponseWriter, req *http.Request, c hmpsim.Call) {
					p.add(1)
					defer p.add(-1)
					time.Sleep(time.Second) // of the fake clock
					p.mu.Lock()
					now := p.now
					p.mu.Unlock()
					if now > 10 {
						w.WriteHeader(http.StatusTooManyRequests)
						return
					}
					valid()(w, req, c)
				})
				r.simulate("studio", answers)
				r.Apply(r.load(targetWith("studio", "url: http://studio\n"+tt.setting, names...)))
				results := resultNames(r.probe(Request{Target: "studio"}))
				if len(results) != 40 || !slices.Contains(results, tt.want) || tt.want == hmp.Valid && slices.ContainsFunc(results, func(o hmp.Result) bool { return o != hmp.Valid }) {
					t.Errorf("results %v, want %s", results, tt.want)
				}
			})
		})
	}
}

// TestSlowTargetAmongMany has one of many HMPs take most of the time for an answer, and one of
// its sessions hang. At first it gets a few slots. Once it has answered, all its sessions begin
// at once.
func TestSlowTargetAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(256))
		var targets []string
		for i := range 64 {
			host := "hmp-" + strconv.Itoa(i)
			r.simulate(host, sessions{"a": valid()})
			targets = append(targets, targetNamed(host, "a"))
		}
		slow, names := many(10, hmpsim.Delay(6*time.Second, valid()))
		slow["s9"] = hmpsim.Hang()
		r.simulate("slow", slow)
		r.Apply(r.load(append(targets, targetNamed("slow", names...))...))
		for range 3 {
			r.probe(Request{})
			advance(interval)
		}
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 73, hmp.Timeout: 1}, countResults(r.probe(Request{}))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
