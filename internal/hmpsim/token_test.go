package hmpsim

import (
	"net/http"
	"testing"
	"time"
)

func TestUnauthenticated(t *testing.T) {
	tests := []struct {
		name    string
		options []Option
		status  int
		code    string
	}{
		{"default", nil, 401, "020001"},
		{"unknown session", []Option{WithUnauthenticated(UnknownSession())}, 404, "040022"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New(tt.options...)
			sim.SetToken("removed", Valid(ExampleSession()))
			sim.SetToken("good", Valid(ExampleSession()))
			sim.RemoveToken("removed")
			c := start(t, sim)
			for _, bearer := range []string{"", "removed", "garbage", "goo"} {
				got := c.get(bearer)
				if got.status != tt.status || got.code() != tt.code {
					t.Errorf("bearer %q: status %d, code %s, want %d, %s", bearer, got.status, got.code(), tt.status, tt.code)
				}
			}
			if got := sim.Stats().UnknownGETs; got != 4 {
				t.Errorf("unknown GETs %d, want 4", got)
			}
		})
	}
}

func TestBearerToken(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer token": "token",
		"bearer token": "token",
		"Basic token":  "",
		"token":        "",
		"":             "",
	} {
		if got := bearerToken(http.Header{"Authorization": {header}}); got != want {
			t.Errorf("%q: token %q, want %q", header, got, want)
		}
	}
}

func TestLifetime(t *testing.T) {
	tests := []struct {
		name    string
		options []Option
		every   time.Duration // between GETs
		want    time.Duration // age at which the token is first refused
	}{
		{"30 minutes", nil, 10 * time.Minute, 30 * time.Minute},
		{"another", []Option{WithLifetime(time.Minute)}, 20 * time.Second, time.Minute},
		{"sliding and used", []Option{WithSliding(true)}, 29 * time.Minute, never},
		{"sliding and not used", []Option{WithSliding(true)}, 30 * time.Minute, 30 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clock := newFakeClock()
			sim := New(append(tt.options, WithClock(clock.now))...)
			sim.AddKey("key", "secret", Valid(ExampleSession()))
			sim.SetToken("fixed", Valid(ExampleSession()))
			c := start(t, sim)
			bearer := c.login("key", "secret").authToken()
			if got := lifetime(c, clock, bearer, tt.every); got != tt.want {
				t.Errorf("lived %v, want %v", got, tt.want)
			}
			if got := c.get("fixed"); got.status != http.StatusOK {
				t.Errorf("a token that was set has aged: status %d", got.status)
			}
		})
	}
}

const never = time.Duration(-1)

// lifetime uses a token every so often until it is refused, or for a day.
func lifetime(c caller, clock *fakeClock, bearer string, every time.Duration) time.Duration {
	begin := clock.now()
	for clock.now().Sub(begin) < 24*time.Hour {
		if c.get(bearer).status != http.StatusOK {
			return clock.now().Sub(begin)
		}
		clock.advance(every)
	}
	return never
}

func TestRotation(t *testing.T) {
	tests := []struct {
		name     string
		options  []Option
		rotates  []bool // whether the GET of each minute shows another token
		oldWorks bool
	}{
		{"off", nil, []bool{false, false, false, false}, true},
		{"each GET", []Option{WithRotation(Rotation{})}, []bool{true, true, true, true}, false},
		{"each GET, old one kept", []Option{WithRotation(Rotation{KeepOld: true})}, []bool{true, true, true, true}, true},
		{"each 2 minutes", []Option{WithRotation(Rotation{Every: 2 * time.Minute})}, []bool{false, false, true, false}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clock := newFakeClock()
			sim := New(append(tt.options, WithClock(clock.now))...)
			sim.SetToken("first", Valid(ExampleSession()))
			c := start(t, sim)
			bearer := "first"
			for minute, rotates := range tt.rotates {
				shown := c.get(bearer).authToken()
				if shown == "" || (shown != bearer) != rotates {
					t.Errorf("minute %d: %q after %q, want another: %v", minute, shown, bearer, rotates)
				}
				bearer = shown
				clock.advance(time.Minute)
			}
			if works := c.get("first").status == http.StatusOK; works != tt.oldWorks {
				t.Errorf("the first token works: %v, want %v", works, tt.oldWorks)
			}
		})
	}
}

// An old token that is kept is exchanged once per interval too, not at each GET
// after the first.
func TestRotationOfAKeptToken(t *testing.T) {
	clock := newFakeClock()
	sim := New(WithClock(clock.now), WithRotation(Rotation{Every: time.Minute, KeepOld: true}))
	sim.SetToken("kept", Valid(ExampleSession()))
	c := start(t, sim)
	for i, rotates := range []bool{false, false, true, false, true, false} {
		if got := c.get("kept").authToken(); (got != "kept") != rotates {
			t.Errorf("GET %d shows %q, want another: %v", i, got, rotates)
		}
		clock.advance(30 * time.Second)
	}
}

// A token that is not shown is not rotated: the client could never learn it.
func TestErrorsDoNotRotate(t *testing.T) {
	sim := New(WithRotation(Rotation{}))
	sim.SetToken("token", AuthUnavailable())
	c := start(t, sim)
	c.get("token")
	if got := c.get("token"); got.code() != "090002" {
		t.Errorf("the token is gone: status %d, code %s", got.status, got.code())
	}
}

func TestExpiredTokensAreForgotten(t *testing.T) {
	clock := newFakeClock()
	sim := New(WithClock(clock.now), WithRotation(Rotation{KeepOld: true}))
	sim.SetToken("token", Valid(ExampleSession()))
	most := 0
	for range 24 * 60 {
		sim.rotate("token")
		clock.advance(time.Minute)
		most = max(most, len(sim.tokens))
	}
	// 30 are alive at any time.
	if most > 2*30+64+2 {
		t.Errorf("%d tokens kept after a day of one a minute", most)
	}
}
