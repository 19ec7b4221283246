package hmpsim

import (
	"net/http"
	"testing"
	"time"
)

func (c caller) version(bearer string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.listening.URL+VersionEndpoint, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	return c.do(req)
}

// TestDemoUpgrade follows the HMP of the demo that is upgraded.
func TestDemoUpgrade(t *testing.T) {
	clock := newFakeClock()
	sim := New()
	sim.Now = clock.now
	sim.SetVersion(upgraded())
	sim.SetToken("token", restarting(Valid(ExampleSession())))
	c := start(t, sim)
	for _, want := range []struct {
		after  time.Duration
		result string
		body   string // of the version call, once the HMP answers
	}{
		{0, "valid", `{"data":{"version":"4.1.0","build":"30241"}}`},
		{restartAfter, "protocol", ""},
		{restartFor, "valid", `{"data":{"version":"4.1.1","build":"30242"}}`},
		{upgradePeriod - restartFor, "protocol", ""},
		{restartFor, "valid", `{"data":{"version":"4.1.1","build":"30243"}}`},
	} {
		clock.advance(want.after)
		if got := demoResult(c.get("token")); got != want.result {
			t.Errorf("after %v: %s, want %s", want.after, got, want.result)
		}
		if got := c.version("token"); want.body != "" && got.body != want.body {
			t.Errorf("after %v: %s, want %s", want.after, got.body, want.body)
		}
	}
}
