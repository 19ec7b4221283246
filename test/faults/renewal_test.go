package faults

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// TestRenewal counts the connections of a session with an API key. Each exchange has its own;
// a probe has at most three.
func TestRenewal(t *testing.T) {
	var rejected atomic.Bool // the token, until the next login
	refusal := response(401, envelope(string(hmp.UserNotAuthorized), "User is not authorized"))
	hmpScript := eachRequest(func(p *peer, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			rejected.Store(false)
			p.write(response(200, session()))
		case rejected.Load():
			p.write(refusal)
		default:
			p.write(response(200, session()))
		}
	})
	s := newSetup(t)
	defer s.close()
	s.target(hmpScript)
	e := s.startExporter(withKey)

	connections := 0
	for _, step := range []struct {
		name     string
		rejected bool
		want     int
	}{
		{"the first login", false, 2},
		{"the token is accepted", false, 1},
		{"the token is rejected, a login gives a new one", true, 3},
		{"the new token is accepted", false, 1},
	} {
		rejected.Store(step.rejected)
		probed := e.scrape(t)
		probed.checkLimits(t, rowTimeout)
		got := probed.result(t)
		got.Connections = s.server.connections() - connections
		connections = s.server.connections()
		want := healthy()
		want.Connections = step.want
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	// The search for secrets finds the secrets that the HMP must receive.
	if received := s.server.received(); canary.Find(received) == "" {
		t.Errorf("the HMP received no secret: %q", received)
	}
}
