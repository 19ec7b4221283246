package collector

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

func withVersion(o *Options) { o.Version = true }

// newVersionRig returns a rig that requests versions, and its HMP, which reports a version.
func newVersionRig(t *testing.T, version hmpsim.Behaviour, s sessions, change ...func(*Options)) (*rig, *hmpsim.Server) {
	t.Helper()
	r := newRig(t, append(change, withVersion)...)
	sim := r.studio(s)
	sim.SetVersion(version)
	return r, sim
}

// scrapeVersion makes a scrape and returns its series of hmp_info. It waits for the version
// requests that follow the scrape.
func (r *rig) scrapeVersion() (series []string) {
	r.t.Helper()
	for line := range strings.Lines(exposition(r.t, Families(r.probe(Request{ScrapeTimeout: "10"})))) {
		if s, ok := strings.CutPrefix(line, Info+"{"); ok {
			series = append(series, strings.TrimSpace(s))
		}
	}
	r.WaitForVersions(r.t.Context())
	return series
}

func (r *rig) expectVersion(when string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.scrapeVersion()); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// requestIntervals makes scrapes for a time. It returns the times between version requests,
// the first one from now.
func (r *rig) requestIntervals(sim *hmpsim.Server, lasting time.Duration) (intervals []time.Duration) {
	r.t.Helper()
	last := time.Now()
	for end := last.Add(lasting); time.Now().Before(end); advance(interval) {
		now, before := time.Now(), sim.Stats().Versions
		r.scrapeVersion()
		for range sim.Stats().Versions - before {
			intervals = append(intervals, now.Sub(last))
			last = now
		}
	}
	return intervals
}

const (
	oldInfo = `build="30118",version="4.1.0",target="studio"} 1`
	newInfo = `build="30242",version="4.1.1",target="studio"} 1`
)

// The answers come after the scrape. Otherwise the scrape could have the version already.
var (
	oldVersion = hmpsim.Delay(time.Millisecond, hmpsim.Version("4.1.0", "30118"))
	newVersion = hmpsim.Delay(time.Millisecond, hmpsim.Version("4.1.1", "30242"))
)

// TestVersionIsRequestedSeldom checks that the first scrape causes one request for all
// sessions, and that the next ones follow about every quarter of an hour.
func TestVersionIsRequestedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		several, _ := many(4, valid())
		r, sim := newVersionRig(t, newVersion, several)
		r.expectVersion("at the first scrape")
		r.expectVersion("at the second scrape", newInfo)
		if v := r.Last()[0].Version; v == nil || v.Build != "30242" {
			t.Errorf("the last result has the version %v", v)
		}
		if n := sim.Stats().Versions; n != 1 {
			t.Errorf("%d requests at once", n)
		}
		intervals := r.requestIntervals(sim, 2*time.Hour)
		for _, d := range intervals {
			if d < versionInterval || d > versionInterval+versionJitter+2*interval {
				t.Errorf("the next request came after %v", d)
			}
		}
		if len(intervals) < 5 {
			t.Errorf("requests after %v", intervals)
		}
	})
}

// TestVersionAfterRestart upgrades an HMP. When a session is valid again, one request follows
// at once. The next scrape has no old series.
func TestVersionAfterRestart(t *testing.T) {
	for name, restarts := range map[string]hmpsim.Behaviour{"reset": hmpsim.Reset(), "hang": hmpsim.Hang()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, sim := newVersionRig(t, oldVersion, sessions{"a": valid(), "b": valid(), "c": valid()})
				r.requestIntervals(sim, time.Minute)
				sim.SetOutage(restarts)
				r.requestIntervals(sim, time.Minute)
				r.expectVersion("while the HMP restarts", oldInfo)
				sim.SetOutage(hmpsim.AuthUnavailable())
				r.requestIntervals(sim, time.Minute)
				sim.SetOutage(nil)
				sim.SetVersion(newVersion)
				r.expectVersion("at the first scrape after the restart", oldInfo)
				r.expectVersion("at the next scrape", newInfo)
				if n := sim.Stats().Versions; n != 2 {
					t.Errorf("%d requests, want 2", n)
				}
			})
		})
	}
}

// TestVersionOfFlappingHMP has a session be valid in every second scrape. There is at most one
// request per minute.
func TestVersionOfFlappingHMP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		sim := r.simulate("studio", sessions{"a": hmpsim.Timeline(
			hmpsim.Step{For: interval, Do: valid()}, hmpsim.Step{For: interval, Do: hmpsim.Reset()},
		)})
		r.Apply(r.load(targetNamed("studio", "a")))
		intervals := r.requestIntervals(sim, 10*time.Minute)
		for _, d := range intervals[1:] {
			if d < time.Minute {
				t.Errorf("the next request came after %v", d)
			}
		}
		if len(intervals) < 5 {
			t.Errorf("requests after %v", intervals)
		}
	})
}

// TestVersionFails has an HMP no longer report its version, in every way. The old version stays
// for an hour. Requests become rare, and the log has one line.
func TestVersionFails(t *testing.T) {
	bad := hmpsim.BadVersions()
	bad["hang"] = hmpsim.Hang()
	for name, b := range bad {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, sim := newVersionRig(t, newVersion, sessions{"a": valid()})
				r.scrapeVersion()
				confirmed := time.Now()
				advance(versionInterval + versionJitter)
				sim.SetVersion(b)
				intervals := r.requestIntervals(sim, 12*time.Minute)
				want := []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute}
				for i, d := range intervals {
					if len(intervals) != len(want) || d < want[i] || d > want[i]+2*interval {
						t.Fatalf("requests after %v, want %v", intervals, want)
					}
				}
				if log := r.log.String(); strings.Count(log, "does not report its version") != 1 || !strings.Contains(log, "level=debug msg=\"the HMP does not") {
					t.Errorf("the log has:\n%s", log)
				}
				advance(time.Until(confirmed.Add(versionLifetime - time.Second)))
				r.expectVersion("within the hour", newInfo)
				advance(time.Second)
				r.expectVersion("after the hour")
				sim.SetVersion(newVersion)
				r.requestIntervals(sim, versionInterval+interval)
				r.expectVersion("when the HMP reports it again", newInfo)
			})
		})
	}
}

// TestHungVersion has version requests hang, with one slot for all probes. The probes have
// their results in time, and soon the slot. A request ends with the time of its scrape, and
// after two seconds at the latest.
func TestHungVersion(t *testing.T) {
	for timeout, want := range map[string]time.Duration{"10": 2 * time.Second, "2.5": time.Second} {
		synctest.Test(t, func(t *testing.T) {
			slow := hmpsim.Delay(time.Second, valid())
			r, sim := newVersionRig(t, hmpsim.Hang(), sessions{"a": slow, "b": slow}, maxConcurrent(1))
			begin := time.Now()
			for _, got := range r.probe(Request{ScrapeTimeout: "10"}) {
				if !got.Valid() || got.Duration != time.Second {
					t.Errorf("%s is %s after %v", got.Session, got.Result, got.Duration)
				}
			}
			if took := time.Since(begin); took > 2*time.Second+idleSlotTimeout {
				t.Errorf("the scrape took %v", took)
			}
			advance(2 * time.Minute)
			r.probe(Request{Session: "a", Target: "studio", ScrapeTimeout: timeout})
			begin = time.Now()
			r.WaitForVersions(t.Context())
			if took := time.Since(begin); took != want || sim.Stats().Versions != 2 {
				t.Errorf("scrape timeout %ss: request %d took %v", timeout, sim.Stats().Versions, took)
			}
		})
	}
}

// TestVersionIsNotRequested has the scrapes that cause no request: short ones, those without a
// valid session, and all if the option is off.
func TestVersionIsNotRequested(t *testing.T) {
	for _, tt := range []struct {
		name, timeout string
		answer        hmpsim.Behaviour
		options       func(*Options)
	}{
		{"short", "1", valid(), withVersion},
		{"no valid session", "10", hmpsim.NoRoles(), withVersion},
		{"off", "10", valid(), func(*Options) {}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, tt.options)
			sim := r.studio(sessions{"a": tt.answer})
			for range 3 {
				r.probe(Request{ScrapeTimeout: tt.timeout})
				r.WaitForVersions(t.Context())
				advance(time.Minute)
			}
			if n := sim.Stats().Versions; n != 0 {
				t.Errorf("%s: %d requests", tt.name, n)
			}
		})
	}
}

// TestVersionSurvivesReload checks that a version belongs to the name and the URL of a target.
func TestVersionSurvivesReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, sim := newVersionRig(t, newVersion, sessions{"a": valid()})
		r.simulate("other", sessions{"a": valid()}).SetVersion(oldVersion)
		r.scrapeVersion()
		r.Apply(r.load(targetWith("studio", "url: http://studio:80/\ntimeout: 3s", "a")))
		r.expectVersion("after a reload", newInfo)
		if n := sim.Stats().Versions; n != 1 {
			t.Errorf("%d requests", n)
		}
		r.Apply(r.load(targetWith("studio", "url: http://other", "a")))
		r.expectVersion("with another URL")
		r.expectVersion("at the next scrape with another URL", oldInfo)
	})
}

// TestVersionWithRotatedToken has each answer end the token and bring another. The version
// request has the new one. A version that repeats a secret is no version.
func TestVersionWithRotatedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion)
		sim := r.studioWithKeys(sessions{"a": valid()})
		sim.Rotation = &hmpsim.Rotation{}
		sim.SetVersion(newVersion)
		r.scrapeVersion()
		r.expectVersion("with the new token", newInfo)
		sim.SetVersion(hmpsim.Version("4.1", secretOf("a")))
		advance(versionInterval + versionJitter)
		r.scrapeVersion()
		r.expectVersion("when the HMP repeats the secret", newInfo)
		if n := sim.Stats().Versions; n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

// A rejectingClient is an HMP that rejects the tokens in its own answers.
type rejectingClient struct{ client }

func (c rejectingClient) Version(ctx context.Context, r hmp.SessionRequest) (hmp.Version, hmp.Answer) {
	if r.Token.Reveal() == "unknown" {
		return hmp.Version{}, hmp.Answer{Result: hmp.Unauthorized}
	}
	return c.client.Version(ctx, r)
}

func (c rejectingClient) GetSession(ctx context.Context, r hmp.SessionRequest) (hmp.Answer, secret.Value) {
	answer, _ := c.client.GetSession(ctx, r)
	return answer, secret.New("unknown")
}

// TestVersionWithUnknownToken has HMP reject the tokens in its answers. The version request then has
// the token of the login, and for a fixed token that one.
func TestVersionWithUnknownToken(t *testing.T) {
	for name, start := range map[string]func(*rig, sessions) *hmpsim.Server{"API key": (*rig).studioWithKeys, "fixed token": (*rig).studio} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, withVersion)
				sim := start(r, sessions{"a": valid()})
				sim.SetVersion(newVersion)
				studio := r.snapshot.Load().byName["studio"]
				studio.client = rejectingClient{studio.client}
				r.scrapeVersion()
				r.expectVersion("with the token that was sent", newInfo)
				sim.SetVersion(hmpsim.Version("4.1", "unknown"))
				advance(versionInterval + versionJitter)
				r.scrapeVersion()
				r.expectVersion("when the version repeats the token of an answer", newInfo)
			})
		})
	}
}

// A versionPanic panics at each version request.
type versionPanic struct{ client }

func (versionPanic) Version(context.Context, hmp.SessionRequest) (hmp.Version, hmp.Answer) {
	panic(canary.Word)
}

// TestVersionPanic has the version requests panic. The sessions stay valid, and the log has one
// line.
func TestVersionPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withVersion, maxConcurrent(1))
		r.studio(sessions{"a": valid()})
		studio := r.snapshot.Load().byName["studio"]
		studio.client = versionPanic{studio.client}
		for range 20 {
			r.scrapeVersion()
			advance(interval)
		}
		always(t, hmp.Valid)(r.Last()[0])
		if n := strings.Count(r.log.String(), "a panic"); n != 1 {
			t.Errorf("the log has it %d times", n)
		}
	})
}
