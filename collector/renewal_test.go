package collector

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
				r.Apply(r.load(keyTarget("playout")))
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
				r.Apply(r.load(keyTarget("playout")))
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

// A farClock is that of an HMP, which goes on while the exporter's machine is
// suspended: the clock that counts durations stands still then, on Linux.
type farClock struct{ ahead atomic.Int64 }

func (c *farClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *farClock) step(d time.Duration) { c.ahead.Add(int64(d)) }

// A lid is closed on connections: none that there were can be written to afterwards.
type lid struct {
	mu      sync.Mutex
	conns   []*lidded
	dialled int
}

type lidded struct {
	net.Conn
	closed atomic.Bool
}

var errForgotten = errors.New("the far side has forgotten the connection")

func (c *lidded) Write(b []byte) (int, error) {
	if c.closed.Load() {
		return 0, errForgotten
	}
	return c.Conn.Write(b)
}

// over returns a dial that makes connections below the lid.
func (l *lid) over(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.dialled++
		l.conns = append(l.conns, &lidded{Conn: conn})
		return l.conns[len(l.conns)-1], nil
	}
}

func (l *lid) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.closed.Store(true)
	}
	l.conns = nil
}

// TestResume suspends the exporter's machine. The next probe is valid: it finds the
// token ended and the connection dead, and gets another of each.
func TestResume(t *testing.T) {
	tests := []struct {
		name            string
		away            time.Duration
		keep            bool
		logins, dialled int // by the first probe
	}{
		{"before the token ends", 5 * time.Minute, false, 0, 1},
		{"before the token ends, with a kept connection", 5 * time.Minute, true, 0, 1},
		{"half an hour", 29 * time.Minute, false, 1, 3},
		{"an hour", time.Hour, false, 1, 3},
		{"an hour, with a kept connection", time.Hour, true, 1, 2},
		{"three days, with a kept connection", 72 * time.Hour, true, 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var clock farClock
				var lid lid
				r := newRig(t)
				r.dial = lid.over(r.dial)
				sim := r.simulate("studio", nil)
				sim.Now = clock.now
				addKeys(sim, sessions{"playout": valid()})
				r.Apply(r.load(keyTargetWith("studio", "url: http://studio\nkeep_alive: "+strconv.FormatBool(tt.keep), "playout")))
				r.scrapes(4*time.Minute, always(t, hmp.Valid))
				before, dialled := sim.Stats().POSTs, lid.dialled

				clock.step(tt.away)
				lid.close()
				result := r.probe(Request{ScrapeTimeout: "10"})[0]
				always(t, hmp.Valid)(result)
				if n, made := sim.Stats().POSTs-before, lid.dialled-dialled; n != tt.logins || made != tt.dialled {
					t.Errorf("%d logins and %d connections, want %d and %d", n, made, tt.logins, tt.dialled)
				}
				if left := time.Until(result.Logins.TokenExpiry); left <= 0 || left > 30*time.Minute {
					t.Errorf("the token is said to end in %v", left)
				}
				noNegative(t, result)
				r.scrapes(time.Hour, func(result Result) {
					always(t, hmp.Valid)(result)
					noNegative(t, result)
				})
				if n := sim.Stats().POSTs - before; n > 4 || sim.Stats().RejectedPOSTs > 0 {
					t.Errorf("%d logins in an hour", n)
				}
			})
		})
	}
}

// TestFarClockBack puts the HMP's clock back by an hour.
func TestFarClockBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock farClock
		r := newRig(t)
		sim := r.simulate("studio", nil)
		sim.Now, sim.Rotation = clock.now, rotating.Rotation
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("playout")))
		r.scrapes(10*time.Minute, always(t, hmp.Valid))
		clock.step(-time.Hour)
		r.scrapes(time.Hour, always(t, hmp.Valid))
		if n := sim.Stats().POSTs; n > 2 {
			t.Errorf("%d logins, want the first and one more at most", n)
		}
	})
}
