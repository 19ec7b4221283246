package collector

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestTwelveHours keeps a session alive for half a day, whatever it is that HMP
// does and does not document.
func TestTwelveHours(t *testing.T) {
	tests := []struct {
		name   string
		config hmpsim.Config
		logins int // at most
	}{
		{"tokens of thirty minutes", hmpsim.Config{}, 30},
		{"use extends them", hmpsim.Config{Sliding: true}, 30},
		{"every answer has another, and the old one is dead", hmpsim.Config{Rotation: &hmpsim.Rotation{}}, 2},
		{"every answer has another, and the old one lives on", rotating, 2},
		{"some answers have another, and the old one is dead", hmpsim.Config{Rotation: &hmpsim.Rotation{Every: 10 * time.Minute}}, 2},
		{"use extends them, and every answer has another", hmpsim.Config{Sliding: true, Rotation: &hmpsim.Rotation{}}, 2},
		{"dead ones are unknown sessions", hmpsim.Config{Unauthenticated: hmpsim.UnknownSession()}, 30},
		{"tokens of ten minutes, which nobody was told", hmpsim.Config{Lifetime: 10 * time.Minute}, 74},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", nil)
				sim.Config = tt.config
				addKeys(sim, sessions{"playout": valid()})
				r.Apply(r.load(keyTarget("studio", "playout")))
				for range 12 * 60 {
					always(t, hmp.Valid)(r.probe(Request{ScrapeTimeout: "10"})[0])
					advance(time.Minute)
				}
				if n := sim.Stats().Logins; n > tt.logins {
					t.Errorf("%d logins, want at most %d", n, tt.logins)
				}
				if n := sim.Stats().RejectedPOSTs; n != 0 {
					t.Errorf("%d logins were rejected", n)
				}
			})
		})
	}
}

// TestRotationOfFixedTokens sees that a fixed token is never replaced.
func TestRotationOfFixedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"playout": valid()})
		sim.Config = rotating
		r.Apply(r.load(targetNamed("studio", "playout")))
		for i := range 5 {
			if n := int(r.probe(Request{})[0].Rotations); n != i+1 {
				t.Errorf("counted %d rotations after %d", n, i+1)
			}
			if got := sim.Stats().LastHeader.Get("Authorization"); got != "Bearer "+tokenOf("playout") {
				t.Errorf("probe %d sent another token than the configured one", i)
			}
		}
	})
}

// TestExpiry has two hundred scrapes begin in the moment in which the token ends.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.Delay(time.Second, valid())})
		r.Apply(r.load(keyTarget("studio", "playout")))
		begin := time.Now()
		r.probe(Request{})
		advance(30*time.Minute - time.Since(begin))
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() { always(t, hmp.Valid)(r.probe(Request{})[0]) })
		}
		wg.Wait()
		if n := sim.Stats().POSTs; n != 2 {
			t.Errorf("%d logins, want the first and one more", n)
		}
	})
}

// TestDirectoryAway takes HMP's directory away for two hours.
func TestDirectoryAway(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{
		"the tokens end meanwhile": 30 * time.Minute,
		"the tokens live on":       4 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", nil)
				sim.Lifetime = lifetime
				addKeys(sim, sessions{"playout": valid()})
				r.Apply(r.load(keyTarget("studio", "playout")))
				r.scrapes(10*time.Minute, always(t, hmp.Valid))
				before := sim.Stats()

				sim.SetOutage(hmpsim.AuthUnavailable())
				r.scrapes(2*time.Hour, func(result Result) {
					always(t, hmp.AuthUnavailable)(result)
					if up, known := result.Up(); up != 1 || !known {
						t.Error("HMP answers, and hmp_up is not 1")
					}
				})
				away := sim.Stats()
				if logins := away.POSTs - before.POSTs; logins > 120 || away.RejectedPOSTs != 0 {
					t.Errorf("%d attempts to log in, of which %d were rejected", logins, away.RejectedPOSTs)
				}

				sim.SetOutage(nil)
				r.scrapes(10*time.Minute, always(t, hmp.Valid))
				if n := sim.Stats().Logins - away.Logins; n > 1 {
					t.Errorf("%d logins afterwards, want one at most", n)
				}
			})
		})
	}
}

// TestKeyRegenerated has somebody make a new key in HMP, and write it to its file
// at some later time.
func TestKeyRegenerated(t *testing.T) {
	for _, later := range []time.Duration{time.Second, time.Minute, 10 * time.Minute, 45 * time.Minute, 3 * time.Hour} {
		t.Run(later.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", nil)
				addKeys(sim, sessions{"playout": valid()})
				r.file("secret", secretOf("playout")+"\n")
				r.Apply(r.load(targetWith("studio", "url: http://studio") + "      - {name: playout, api_key: " + keyOf("playout") + ", api_secret_file: secret}\n"))
				r.scrapes(time.Minute, always(t, hmp.Valid))

				sim.RegenerateKey(keyOf("playout"), canary.Word+"-regenerated")
				sim.RevokeTokens(keyOf("playout"))
				if got := r.probe(Request{})[0].Result; got != hmp.LoginRejected {
					t.Errorf("the key is regenerated, and the result is %s", got)
				}
				r.scrapes(later-time.Second, always(t, hmp.LoginRejected))
				rejected := sim.Stats().RejectedPOSTs
				if most := map[bool]int{true: 1, false: 5}[later < 2*time.Minute]; rejected > most && later < time.Hour {
					t.Errorf("%d logins were rejected, want %d at most", rejected, most)
				}
				r.file("secret", canary.Word+"-regenerated\n")
				r.scrapes(time.Minute, always(t, hmp.Valid))
				if n := sim.Stats().RejectedPOSTs; n != rejected {
					t.Error("a login was rejected with the new secret")
				}
			})
		})
	}
}

// TestHungLogin has one session whose login hangs. It costs its own deadline, and
// no other session anything.
func TestHungLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("campus", nil)
		addKeys(sim, sessions{"lectures": valid(), "hung": hmpsim.Hang(), "library": valid()})
		r.Apply(r.load(keyTarget("campus", "lectures", "hung", "library")))
		for range 3 {
			begin := time.Now()
			results := r.probe(Request{ScrapeTimeout: "10"})
			if diff := cmp.Diff([]hmp.Result{hmp.Valid, hmp.Timeout, hmp.Valid}, resultNames(results)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if took := time.Since(begin); took != 9500*time.Millisecond {
				t.Errorf("the scrape took %v, want the deadline", took)
			}
			for _, result := range results {
				if result.Session != "hung" && result.Duration != 0 {
					t.Errorf("%s took %v", result.Session, result.Duration)
				}
			}
			advance(time.Minute)
		}
	})
}
