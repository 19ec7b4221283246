package collector

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

func withVersion(o *Options) { o.Version = true }

// scrape makes a scrape and returns the series of hmp_info that it has. The questions that
// follow it are over then.
func (r *rig) scrape(timeout string) (infos []string) {
	r.t.Helper()
	for line := range strings.Lines(exposition(r.t, Families(r.probe(Request{ScrapeTimeout: timeout})))) {
		if strings.HasPrefix(line, Info+"{") {
			infos = append(infos, strings.TrimSpace(strings.TrimPrefix(line, Info)))
		}
	}
	r.WaitForVersions(r.t.Context())
	return infos
}

func (r *rig) expectInfo(when string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.scrape("10")); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// questions makes scrapes for a time and returns when the HMP was asked, counted from now.
func (r *rig) questions(sim *hmpsim.Server, lasting time.Duration) (at []time.Duration) {
	r.t.Helper()
	for begin := time.Now(); time.Since(begin) < lasting; advance(interval) {
		now, before := time.Since(begin), sim.Stats().Versions
		r.scrape("10")
		for range sim.Stats().Versions - before {
			at = append(at, now)
		}
	}
	return at
}

const (
	oldInfo = `{build="30118",version="4.1.0",target="studio"} 1`
	newInfo = `{build="30242",version="4.1.1",target="studio"} 1`
)

// The answers come after the scrape, in which a version can be seen already.
var (
	oldVersion = hmpsim.Delay(time.Millisecond, hmpsim.Version("4.1.0", "30118"))
	newVersion = hmpsim.Delay(time.Millisecond, hmpsim.Version("4.1.1", "30242"))
)

// TestVersionIsAskedSeldom is that an HMP is asked at the first scrape, once for all of its
// sessions, and about every quarter of an hour from then on.
func TestVersionIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		several, names := many(4, valid())
		sim := r.simulate("studio", several)
		sim.SetVersion(newVersion)
		r.Apply(r.load(targetNamed("studio", names...)))
		r.expectInfo("at the first scrape")
		r.expectInfo("at the second scrape", newInfo)
		if v := r.Last()[0].Version; v == nil || v.Build != "30242" {
			t.Errorf("the last result has the version %v", v)
		}
		if n := sim.Stats().Versions; n != 1 {
			t.Errorf("%d questions at once", n)
		}
		last, at := time.Duration(0), r.questions(sim, 2*time.Hour)
		for _, now := range at {
			if gap := now - last; gap < versionInterval || gap > versionInterval+versionJitter+2*interval {
				t.Errorf("asked again after %v", gap)
			}
			last = now
		}
		if len(at) < 5 {
			t.Errorf("asked at %v", at)
		}
	})
}

// TestVersionAfterRestart upgrades an HMP. It is asked at once when a session is valid again,
// once for all sessions, and the old series is gone from the next scrape.
func TestVersionAfterRestart(t *testing.T) {
	for name, restarts := range map[string]hmpsim.Behaviour{"reset": hmpsim.Reset(), "hang": hmpsim.Hang()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, withVersion)
				sim := r.simulate("studio", sessions{"a": valid(), "b": valid(), "c": valid()})
				sim.SetVersion(oldVersion)
				r.Apply(r.load(targetNamed("studio", "a", "b", "c")))
				r.questions(sim, time.Minute)
				sim.SetOutage(restarts)
				r.questions(sim, time.Minute)
				r.expectInfo("while the HMP is away", oldInfo)
				sim.SetOutage(hmpsim.AuthUnavailable())
				r.questions(sim, time.Minute)
				sim.SetOutage(nil)
				sim.SetVersion(newVersion)
				r.expectInfo("at the first scrape after the restart", oldInfo)
				r.expectInfo("at the next scrape", newInfo)
				if n := sim.Stats().Versions; n != 2 {
					t.Errorf("%d questions, want 2", n)
				}
			})
		})
	}
}

// TestVersionOfFlappingHMP is that an HMP that comes and goes is not asked each time.
func TestVersionOfFlappingHMP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		sim := r.simulate("studio", sessions{"a": hmpsim.Timeline(
			hmpsim.Step{For: interval, Do: valid()}, hmpsim.Step{For: interval, Do: hmpsim.Reset()},
		)})
		r.Apply(r.load(targetNamed("studio", "a")))
		at := r.questions(sim, 10*time.Minute)
		for i := range at[1:] {
			if gap := at[i+1] - at[i]; i > 0 && gap < time.Minute {
				t.Errorf("asked again after %v", gap)
			}
		}
		if len(at) < 5 {
			t.Errorf("asked at %v only", at)
		}
	})
}

// TestVersionFails has an HMP not tell its version any more, in every way. The old one stays
// for an hour. The HMP is asked less and less, and the log has it once.
func TestVersionFails(t *testing.T) {
	bad := hmpsim.BadVersions()
	bad["hang"] = hmpsim.Hang()
	for name, b := range bad {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, withVersion)
				sim := r.simulate("studio", sessions{"a": valid()})
				sim.SetVersion(newVersion)
				r.Apply(r.load(targetNamed("studio", "a")))
				r.scrape("10")
				confirmed := time.Now()
				advance(versionInterval + versionJitter)
				sim.SetVersion(b)
				at := r.questions(sim, 12*time.Minute)
				for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
					if gap := at[i+1] - at[i]; gap < want || gap > want+2*interval {
						t.Errorf("asked again after %v, want %v", gap, want)
					}
				}
				if len(at) != 4 {
					t.Errorf("asked at %v", at)
				}
				if log := r.log.String(); strings.Count(log, "does not report its version") != 1 || !strings.Contains(log, "level=debug msg=\"the HMP does not") {
					t.Errorf("the log has:\n%s", log)
				}
				advance(time.Until(confirmed.Add(versionLifetime - time.Second)))
				r.expectInfo("in the hour", newInfo)
				advance(time.Second)
				r.expectInfo("after the hour")
				sim.SetVersion(newVersion)
				r.questions(sim, versionInterval+interval)
				r.expectInfo("when the HMP tells it again", newInfo)
			})
		})
	}
}

// TestHungVersion has an HMP hang when it is asked for its version, and one slot for all. The
// probes get their results as without the request, and the slot soon. The request takes what
// is left of the scrape's time, and two seconds at most.
func TestHungVersion(t *testing.T) {
	for scrape, want := range map[string]time.Duration{"10": 2 * time.Second, "2.5": time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, withVersion, maxConcurrent(1))
			slow := hmpsim.Delay(time.Second, valid())
			sim := r.simulate("studio", sessions{"a": slow, "b": slow})
			sim.SetVersion(hmpsim.Hang())
			r.Apply(r.load(targetNamed("studio", "a", "b")))
			for range 3 {
				begin := time.Now()
				for _, got := range r.probe(Request{ScrapeTimeout: "10"}) {
					if !got.Valid() || got.Duration != time.Second {
						t.Errorf("%s is %s after %v", got.Session, got.Result, got.Duration)
					}
				}
				if took := time.Since(begin); took > 2*time.Second+idleSlotTimeout {
					t.Errorf("the scrape took %v", took)
				}
			}
			advance(time.Minute)
			r.probe(Request{Session: "a", Target: "studio", ScrapeTimeout: scrape})
			begin := time.Now()
			r.WaitForVersions(t.Context())
			if took := time.Since(begin); took != want || sim.Stats().Versions != 2 {
				t.Errorf("scrape timeout %ss: request %d took %v", scrape, sim.Stats().Versions, took)
			}
		})
	}
}

// TestVersionIsNotAsked is when there is no question: in a hurry, without a session that HMP
// confirmed, and when questions are off.
func TestVersionIsNotAsked(t *testing.T) {
	for _, tt := range []struct {
		name, timeout string
		answers       hmpsim.Behaviour
		options       func(*Options)
	}{
		{"in a hurry", "1", valid(), withVersion},
		{"no session", "10", hmpsim.NoRoles(), withVersion},
		{"off", "10", valid(), func(*Options) {}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, tt.options)
			sim := r.simulate("studio", sessions{"a": tt.answers})
			r.Apply(r.load(targetNamed("studio", "a")))
			for range 10 {
				if got := r.scrape(tt.timeout); got != nil {
					t.Errorf("%s: %v", tt.name, got)
				}
				advance(time.Minute)
			}
			if n := sim.Stats().Versions; n != 0 {
				t.Errorf("%s: %d questions", tt.name, n)
			}
		})
	}
}

// TestVersionSurvivesReload is that a version belongs to the name and the URL of a target.
func TestVersionSurvivesReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		sim := r.simulate("studio", sessions{"a": valid(), "b": valid()})
		sim.SetVersion(newVersion)
		r.simulate("other", sessions{"a": valid()}).SetVersion(oldVersion)
		r.Apply(r.load(targetNamed("studio", "a")))
		r.scrape("10")
		r.Apply(r.load(targetWith("studio", "url: http://studio:80/\ntimeout: 3s", "b")))
		r.expectInfo("after a reload", newInfo)
		if n := sim.Stats().Versions; n != 1 {
			t.Errorf("asked %d times", n)
		}
		r.Apply(r.load(targetWith("studio", "url: http://other", "a")))
		r.expectInfo("with another URL")
		r.expectInfo("at the next scrape with another URL", oldInfo)
	})
}

// TestVersionWithTokensThatChange asks an HMP that ends a token with each answer, and that
// repeats in its version what it was asked with.
func TestVersionWithTokensThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		var mu sync.Mutex
		var used string
		sim := r.simulate("studio", nil)
		sim.Rotation = &hmpsim.Rotation{}
		sim.SetVersion(newVersion)
		addKeys(sim, sessions{"a": valid()})
		r.Apply(r.load(keyTarget("a")))
		r.scrape("10")
		r.expectInfo("with the token that was handed out", newInfo)
		sim.SetVersion(func(w http.ResponseWriter, q *http.Request, c hmpsim.Call) {
			mu.Lock()
			defer mu.Unlock()
			used = c.Token
			hmpsim.Version("4.1 "+used, secretOf("a"))(w, q, c)
		})
		advance(versionInterval + versionJitter)
		r.scrape("10")
		r.expectInfo("when the HMP repeats the token", newInfo)
		if used == "" || strings.Contains(r.log.String(), used) {
			t.Errorf("asked with %q, and the log has:\n%s", used, r.log)
		}
	})
}

// A versionPanic panics when it is to ask for the version.
type versionPanic struct{ client }

func (versionPanic) Version(context.Context, hmp.SessionRequest) (hmp.Version, hmp.Answer) {
	panic(canary.Word)
}

// TestVersionPanic costs the version and nothing else.
func TestVersionPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion, maxConcurrent(1))
		r.simulate("studio", sessions{"a": valid()})
		r.Apply(r.load(targetNamed("studio", "a")))
		studio := r.snapshot.Load().byName["studio"]
		studio.client = versionPanic{studio.client}
		for range 20 {
			r.scrape("10")
			advance(interval)
		}
		for _, last := range r.Last() {
			always(t, hmp.Valid)(last)
		}
		if n := strings.Count(r.log.String(), "a panic"); n != 1 {
			t.Errorf("the log has it %d times", n)
		}
	})
}
