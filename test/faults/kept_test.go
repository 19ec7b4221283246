package faults

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeptConnection has an HMP, or somebody between, send a second answer that
// nobody asked for on a connection that is kept. The connection is dropped, and what
// came is told to nobody: there is a token in it.
func TestKeptConnection(t *testing.T) {
	dropped := make(chan struct{}, 2)
	s := newStage(t, t.TempDir())
	defer s.close()
	s.set("keep_alive: true")
	whole := response(200, session())
	s.target(saysAnd(whole+whole, func(p *peer) {
		p.hold()
		dropped <- struct{}{}
	}))
	s.file("hmp.yml", "targets:\n"+s.configuration("studio", withToken))
	e := export(t, filepath.Join(s.dir, "hmp.yml"))
	defer e.close()

	for connections := range 2 {
		o := observe(t, e)
		got := o.seen(t)
		got.Connections = s.origin.connections() - connections
		if diff := cmp.Diff(valid().messages(goodMessages), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		<-dropped
	}
}
