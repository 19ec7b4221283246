package collector

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

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
		for _, name := range hungNames[:50] {
			sim.SetToken(tokenOf(name), valid())
		}
		if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 101}, countResults(r.probe(Request{}))); diff != "" {
			t.Errorf("all answer again (-want +got):\n%s", diff)
		}
	})
}

// TestReloadSharesProbes reloads eight times while an HMP hangs: it sees one probe of a
// session at a time.
func TestReloadSharesProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"playout": hmpsim.Hang()})
		for range 8 {
			r.Apply(r.load(targetNamed("studio", "playout")))
			go r.probe(Request{})
			advance(time.Second)
		}
		advance(time.Minute)
		seen := sim.Stats().Accounts[tokenOf("playout")]
		if seen.MaxConcurrent != 1 || seen.GETs > 2 {
			t.Errorf("the HMP has seen %d probes, %d at once", seen.GETs, seen.MaxConcurrent)
		}
	})
}
