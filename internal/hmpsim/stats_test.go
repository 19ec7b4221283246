package hmpsim

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStats(t *testing.T) {
	sim := New(WithRotation(Rotation{}))
	sim.SetToken("token", Valid(ExampleSession()))
	sim.AddKey("key", "secret", Valid(ExampleSession()))
	c := start(t, sim)
	c.get(c.get("token").authToken()) // a rotated token goes on the same account
	c.get("unknown")
	c.login("key", "wrong")
	last := c.login("key", "secret").authToken()
	c.get(last)

	got := sim.Stats()
	if h := got.LastHeader.Get("Authorization"); h != "Bearer "+last {
		t.Errorf("last Authorization %q, want that of the last GET", h)
	}
	if h := got.Accounts["key"].LastHeader.Get("Authorization"); h != "Bearer "+last {
		t.Errorf("last Authorization of the key %q, want that of the last GET", h)
	}
	want := Stats{
		GETs: 4, POSTs: 2, UnknownGETs: 1, RejectedPOSTs: 1, Logins: 1,
		Accounts: map[string]AccountStats{
			"token": {GETs: 2, MaxConcurrent: 1},
			"key":   {GETs: 1, POSTs: 2, MaxConcurrent: 1},
		},
	}
	ignoreHeaders := cmp.FilterValues(func(_, _ http.Header) bool { return true }, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignoreHeaders); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestMaxConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := New()
		sim.SetToken("busy", Delay(time.Second, NoRoles()))
		sim.SetToken("calm", Delay(time.Second, NoRoles()))
		c := start(t, sim)
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { c.get("busy") })
			c.get("calm")
		}
		for range 4 {
			calls.Go(func() { c.get("busy") })
		}
		calls.Wait()
		synctest.Wait()
		got := sim.Stats().Accounts
		if busy := got["busy"]; busy.GETs != 7 || busy.MaxConcurrent < 4 || busy.InFlight != 0 {
			t.Errorf("busy: %+v, want 7 GETs, 4 at once and none left", busy)
		}
		if calm := got["calm"]; calm.GETs != 3 || calm.MaxConcurrent != 1 {
			t.Errorf("calm: %+v, want 3 GETs, one at a time", calm)
		}
	})
}

// Twelve hours of a client that logs in when its token is refused take no time,
// and a login for each lifetime.
func TestTwelveHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := New()
		sim.AddKey("key", "secret", Valid(ExampleSession()))
		c := start(t, sim)
		bearer := ""
		for range 12 * 60 * 4 {
			if c.get(bearer).status == http.StatusUnauthorized {
				bearer = c.login("key", "secret").authToken()
			}
			time.Sleep(15 * time.Second) // on a fake clock
		}
		if got := sim.Stats(); got.Logins != 24 || got.GETs != 12*60*4 {
			t.Errorf("%d logins in %d GETs, want 24 in 2880", got.Logins, got.GETs)
		}
	})
}
