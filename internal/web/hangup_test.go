package web

import (
	"io"
	"net"
	"testing"
)

// TestScrapersHangUp has 200 scrapers go in all the ways there are. Their permits
// come back; that their goroutines end, goleak sees.
func TestScrapersHangUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		hangUp func(t *testing.T, c *caller, g *gate)
	}{
		{"before asking", func(*testing.T, *caller, *gate) {}},
		{"in the request line", func(t *testing.T, c *caller, _ *gate) { c.send(t, "GET /met") }},
		{"in a header", func(t *testing.T, c *caller, _ *gate) { c.send(t, "GET /metrics HTTP/1.1\r\nHost: loc") }},
		{"before the answer", func(t *testing.T, c *caller, g *gate) {
			c.ask(t, "/metrics")
			g.await(t, 1)
		}},
		{"with a reset before the answer", func(t *testing.T, c *caller, g *gate) {
			c.ask(t, "/metrics")
			g.await(t, 1)
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
		}},
		{"after saying that no more comes", func(t *testing.T, c *caller, g *gate) {
			c.ask(t, "/metrics")
			_ = c.Conn.(*net.TCPConn).CloseWrite()
			g.await(t, 1)
		}},
		{"in the answer", func(t *testing.T, c *caller, g *gate) {
			g.release()
			c.ask(t, "/metrics")
			g.await(t, 1)
			if _, err := io.CopyN(io.Discard, c, 100); err != nil {
				t.Error(err)
			}
			g.shut()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, g := newGated(t)
			for range 30 {
				caller := r.dial()
				c.hangUp(t, caller, g)
				_ = caller.Close()
			}
			g.release()
			r.atOnce(g)
		})
	}
}
