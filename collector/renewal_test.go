package collector

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestTwelveHours keeps a session valid for half a day with few logins, whatever HMP does with
// tokens.
func TestTwelveHours(t *testing.T) {
	tests := []struct {
		name   string
		config hmpsim.Config
		logins int // at most
	}{
		{"tokens of thirty minutes", hmpsim.Config{}, 30},
		{"use extends them", hmpsim.Config{Sliding: true}, 30},
		{"each answer has a new token, and the old one ends", hmpsim.Config{Rotation: &hmpsim.Rotation{}}, 2},
		{"each answer has a new token, and the old one stays", rotating, 2},
		{"some answers have a new token, and the old one ends", hmpsim.Config{Rotation: &hmpsim.Rotation{Every: 10 * time.Minute}}, 2},
		{"use extends them, and each answer has a new token", hmpsim.Config{Sliding: true, Rotation: &hmpsim.Rotation{}}, 2},
		{"HMP answers an ended token with an unknown session", hmpsim.Config{Unauthenticated: hmpsim.UnknownSession()}, 30},
		{"tokens of ten minutes, configured as thirty", hmpsim.Config{Lifetime: 10 * time.Minute}, 74},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, r *rig) {
				sim := r.studioWithKeys(sessions{"playout": valid()})
				sim.Config = tt.config
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

// TestFixedTokenIsNotReplaced has HMP answer with another token each time.
func TestFixedTokenIsNotReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
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

// TestDirectoryOutage has HMP lose its directory for two hours.
func TestDirectoryOutage(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{
		"the tokens end":  30 * time.Minute,
		"the tokens stay": 4 * time.Hour,
	} {
		runInBubble(t, name, func(t *testing.T, r *rig) {
			sim := r.studioWithKeys(sessions{"playout": valid()})
			sim.Lifetime = lifetime
			r.scrapes(10*time.Minute, always(t, hmp.Valid))
			before := sim.Stats()

			sim.SetOutage(hmpsim.AuthUnavailable())
			r.scrapes(2*time.Hour, func(result Result) {
				always(t, hmp.AuthUnavailable)(result)
				if up, known := result.Up(); up != 1 || !known {
					t.Error("HMP answers, and hmp_up is not 1")
				}
			})
			after := sim.Stats()
			if logins := after.POSTs - before.POSTs; logins > 120 || after.RejectedPOSTs != 0 {
				t.Errorf("%d logins, of which %d were rejected", logins, after.RejectedPOSTs)
			}

			sim.SetOutage(nil)
			r.scrapes(10*time.Minute, always(t, hmp.Valid))
			if n := sim.Stats().Logins - after.Logins; n > 1 {
				t.Errorf("%d logins afterwards, want one at most", n)
			}
		})
	}
}

// breakable makes connections that can be broken, as after a suspension of the machine: a
// write then fails.
type breakable struct {
	dial    dialFunc
	dialled atomic.Int32
	breaks  atomic.Int32
}

type breakableConn struct {
	net.Conn
	b      *breakable
	breaks int32 // before it was made
}

func (c *breakableConn) Write(data []byte) (int, error) {
	if c.b.breaks.Load() != c.breaks {
		return 0, errors.New("the connection is broken")
	}
	return c.Conn.Write(data)
}

func (b *breakable) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	b.dialled.Add(1)
	conn, err := b.dial(ctx, network, address)
	return &breakableConn{conn, b, b.breaks.Load()}, err
}

// TestResume suspends the exporter's machine: the HMP's clock goes on, and connections break.
// The next probe is valid. It makes a new connection, and logs in if the token has ended.
func TestResume(t *testing.T) {
	tests := []struct {
		name            string
		suspended       time.Duration
		keepAlive       bool
		logins, dialled int // by the first probe
	}{
		{"before the token ends", 5 * time.Minute, false, 0, 1},
		{"before the token ends, with a kept connection", 5 * time.Minute, true, 0, 1},
		{"half an hour", 29 * time.Minute, false, 1, 3},
		{"an hour, with a kept connection", time.Hour, true, 1, 2},
		{"three days, with a kept connection", 72 * time.Hour, true, 1, 2},
		{"the HMP's clock goes back", -time.Hour, false, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ahead atomic.Int64 // of the HMP's clock
				r := newRig(t)
				network := &breakable{dial: r.dial}
				r.dial = network.dialContext
				sim := r.simulate("studio", nil)
				sim.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
				addKeys(sim, sessions{"playout": valid()})
				r.Apply(r.load(keyTargetWith("studio", "url: http://studio\nkeep_alive: "+strconv.FormatBool(tt.keepAlive), "playout")))
				r.scrapes(4*time.Minute, always(t, hmp.Valid))
				logins, dialled := sim.Stats().POSTs, network.dialled.Load()

				ahead.Store(int64(tt.suspended))
				network.breaks.Add(1)
				result := r.probe(Request{ScrapeTimeout: "10"})[0]
				always(t, hmp.Valid)(result)
				if n, made := sim.Stats().POSTs-logins, int(network.dialled.Load()-dialled); n != tt.logins || made != tt.dialled {
					t.Errorf("%d logins and %d connections, want %d and %d", n, made, tt.logins, tt.dialled)
				}
				if left := time.Until(result.Logins.TokenExpiry); left <= 0 || left > 30*time.Minute {
					t.Errorf("the token ends in %v", left)
				}
				r.scrapes(time.Hour, func(result Result) {
					always(t, hmp.Valid)(result)
					noNegative(t, result)
				})
				if n := sim.Stats().POSTs - logins; n > 4 || sim.Stats().RejectedPOSTs > 0 {
					t.Errorf("%d logins in an hour", n)
				}
			})
		})
	}
}
