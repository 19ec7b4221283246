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

	"hmp_exporter/internal/hmp"
)

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

// TestResumeOfAFleet wakes up with many sessions at once: a login each.
func TestResumeOfAFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 50
		var clock farClock
		r := newRig(t)
		sim := r.simulate("studio", nil)
		sim.Now = clock.now
		keys := make(sessions)
		var names []string
		for i := range many {
			names = append(names, "s"+strconv.Itoa(i))
			keys[names[i]] = valid()
		}
		addKeys(sim, keys)
		r.Apply(r.load(keyTarget("studio", names...)))
		for _, step := range []time.Duration{0, time.Hour, -time.Hour, 72 * time.Hour} {
			before := sim.Stats().POSTs
			clock.step(step)
			for range 3 {
				for _, result := range r.probe(Request{ScrapeTimeout: "10"}) {
					always(t, hmp.Valid)(result)
				}
				advance(interval)
			}
			want := many
			if step < 0 {
				want = 0
			}
			if n := sim.Stats().POSTs - before; n != want {
				t.Errorf("%d logins after a step of %v, want %d", n, step, want)
			}
			advance(2 * time.Minute)
		}
	})
}

// TestFarClockBack puts the HMP's clock back by an hour.
func TestFarClockBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock farClock
		r := newRig(t)
		sim := r.simulate("studio", nil)
		sim.Now, sim.Rotation = clock.now, rotating.Rotation
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("studio", "playout")))
		r.scrapes(10*time.Minute, always(t, hmp.Valid))
		clock.step(-time.Hour)
		r.scrapes(time.Hour, always(t, hmp.Valid))
		if n := sim.Stats().POSTs; n > 2 {
			t.Errorf("%d logins, want the first and one more at most", n)
		}
	})
}
