package hmpsim

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTimeline(t *testing.T) {
	inner := Timeline(
		Step{For: 10 * time.Second, Do: InternalError("first")},
		Step{For: 10 * time.Second, Do: CreateUserSession()},
	)
	clock := newFakeClock()
	sim := New(WithClock(clock.now))
	c := start(t, sim)
	clock.advance(time.Hour) // the timeline begins with its token, not with the server
	sim.SetToken("token", Timeline(
		Step{For: 90 * time.Second, Do: NoRoles()},
		Step{For: 30 * time.Second, Do: inner},
		Step{For: time.Second, Do: AuthUnavailable()},
	))
	begin := clock.now()
	tests := []struct {
		at   time.Duration
		want string
	}{
		{0, "020001"},
		{89 * time.Second, "020001"},
		{90 * time.Second, "070000"},
		{100 * time.Second, "070051"},
		{110 * time.Second, "070000"}, // the inner one again
		{120 * time.Second, "090002"},
		{121 * time.Second, "020001"}, // the outer one again
		{121*time.Second*1000 + 95*time.Second, "070000"},
		{-time.Hour, "020001"}, // a clock that was set back
	}
	for _, tt := range tests {
		clock.t = begin.Add(tt.at)
		if got := c.get("token").code(); got != tt.want {
			t.Errorf("at %v: code %s, want %s", tt.at, got, tt.want)
		}
	}
}

func TestTimelineBeginsAnew(t *testing.T) {
	clock := newFakeClock()
	sim := New(WithClock(clock.now))
	c := start(t, sim)
	story := Timeline(Step{For: time.Minute, Do: NoRoles()}, Step{For: time.Hour, Do: AuthUnavailable()})
	sim.SetToken("token", story)
	clock.advance(5 * time.Minute)
	if got := c.get("token").code(); got != "090002" {
		t.Errorf("in the second step: code %s", got)
	}
	sim.SetToken("token", story)
	if got := c.get("token").code(); got != "020001" {
		t.Errorf("set again: code %s", got)
	}
	sim.SetOutage(story)
	clock.advance(5 * time.Minute)
	if got := c.get("nobody's").code(); got != "090002" {
		t.Errorf("as an outage: code %s", got)
	}
}

func TestSwell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newFakeClock()
		sim := New(WithClock(clock.now))
		sim.SetToken("token", Swell(time.Second, 5*time.Second, 4*time.Minute, NoRoles()))
		c := start(t, sim)
		want := []time.Duration{1, 3, 5, 3, 1, 3} // seconds, at each minute
		for minute, w := range want {
			begin := time.Now()
			c.get("token")
			if d := time.Since(begin).Round(time.Millisecond); d != w*time.Second {
				t.Errorf("at minute %d: %v, want %v", minute, d, w*time.Second)
			}
			clock.advance(time.Minute)
		}
	})
}

func TestImpossibleBehavioursPanic(t *testing.T) {
	tests := map[string]func(){
		"no steps":            func() { Timeline() },
		"a step of no length": func() { Timeline(Step{Do: Hang()}) },
		"a swell of no time":  func() { Swell(0, 0, 0, Hang()) },
		"a drip of no bytes":  func() { Drip(0, 0, Hang()) },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
