package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
)

// patience is how long a test waits for what has to come, on a busy machine.
const patience = 30 * time.Second

// newServed starts an exporter as [newRig] does, and serves it with [Serve], as the
// program does.
func newServed(t *testing.T, configuration string, change ...func(*Options)) *rig {
	t.Helper()
	var options Options
	r := newRig(t, configuration, append(change, func(o *Options) { options = *o })...)
	handler, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	flags := webFlags("", "127.0.0.1:0")
	listeners, err := Listen(flags)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listeners, handler, flags, slog.New(slog.NewTextHandler(canary.NewLog(t), nil)))
	}()
	t.Cleanup(func() {
		stop()
		r.client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	r.url = URL(listeners[0])
	return r
}

// A gate is a Collector at which scrapes wait while it is shut.
type gate struct {
	Collector
	entered chan struct{} // has one for each scrape that came

	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

// newGated starts an exporter as [newServed] does, with a gate, shut, before its
// collector.
func newGated(t *testing.T) (*rig, *gate) {
	t.Helper()
	g := &gate{entered: make(chan struct{}, 2*scrapers), open: make(chan struct{})}
	r := newServed(t, fleet, maxRequests(permits), func(o *Options) { g.Collector, o.Collector = o.Collector, g })
	t.Cleanup(func() { // a test that fails leaves none waiting
		g.shut()
		g.release()
	})
	return r, g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.open)
}

// Probe implements [Collector].
func (g *gate) Probe(r collector.Request) ([]collector.Result, error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	g.entered <- struct{}{}
	<-open
	return g.Collector.Probe(r)
}

// await returns when n scrapes have come.
func (g *gate) await(t *testing.T, n int) {
	t.Helper()
	late := time.After(patience)
	for i := range n {
		select {
		case <-g.entered:
		case <-late:
			t.Fatalf("%d scrapes are under way, want %d", i, n)
		}
	}
}

// A caller is a client that minds each byte: a connection to an exporter.
type caller struct {
	net.Conn
	answers *bufio.Reader
}

// dial connects to a rig. The connection ends with the test.
func (r *rig) dial() *caller {
	r.t.Helper()
	conn, err := new(net.Dialer).DialContext(r.t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &caller{conn, bufio.NewReader(conn)}
}

// send sends a part of a request.
func (c *caller) send(t testing.TB, part string) {
	t.Helper()
	if _, err := io.WriteString(c, part); err != nil {
		t.Error(err)
	}
}

// ask sends a request.
func (c *caller) ask(t testing.TB, path string) {
	t.Helper()
	c.send(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

// answer reads an answer, and looks for secrets in it.
func (c *caller) answer(t testing.TB) (reply, error) {
	t.Helper()
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	canary.Check(t, "an answer", fmt.Sprint(resp.Header)+string(body))
	if resp.Close {
		resp.Header.Set("Connection", "close") // net/http takes it out
	}
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}
