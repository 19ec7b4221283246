package faults

import (
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// TestRenewal counts the connections of a session with an API key: one for each
// exchange, and no probe has more than three.
func TestRenewal(t *testing.T) {
	var dead atomic.Bool // the token is, until the next login
	refusal := response(401, envelope(string(hmp.UserNotAuthorized), "User is not authorized"))
	hmpScript := each(func(p *peer, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			dead.Store(false)
			p.say(response(200, session()))
		case dead.Load():
			p.say(refusal)
		default:
			p.say(response(200, session()))
		}
	})
	s := newStage(t, t.TempDir())
	defer s.close()
	s.target(hmpScript)
	s.file("hmp.yml", "targets:\n"+s.configuration("studio", withKey))
	e := export(t, filepath.Join(s.dir, "hmp.yml"))
	defer e.close()

	connections := 0
	for _, step := range []struct {
		name string
		dead bool
		want int
	}{
		{"the first login", false, 2},
		{"the token is good", false, 1},
		{"the token is rejected, and a login gives another", true, 3},
		{"the new token is good", false, 1},
	} {
		dead.Store(step.dead)
		o := observe(t, e)
		o.bounded(t, patience)
		got := o.seen(t)
		got.Connections = s.origin.connections() - connections
		connections = s.origin.connections()
		want := valid().messages(goodMessages)
		want.Connections = step.want
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	// What finds secrets where none may be finds them where they have to be.
	if heard := s.origin.heard(); canary.Find(heard) == "" {
		t.Errorf("the HMP has received no secret: %q", heard)
	}
}
