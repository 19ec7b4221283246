package hmpsim

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A ListenConfig says how a [Server] is served. The zero value is plain HTTP on a free port of
// 127.0.0.1.
type ListenConfig struct {
	Listener    net.Listener // such as a [PipeListener], in place of a free port
	Certificate *tls.Certificate
}

// A Listening is a server that is being served.
type Listening struct {
	URL string // the base URL

	server      *http.Server
	closing     atomic.Bool // set by Close
	connections atomic.Int64
	open        sync.WaitGroup // the accept loop and each connection
}

// Start serves s until the result is closed.
func (s *Server) Start(c ListenConfig) (*Listening, error) {
	listener := c.Listener
	if listener == nil {
		var err error
		if listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("failed to listen: %w", err)
		}
	}
	l := &Listening{URL: "http://" + listener.Addr().String()}
	l.server = &http.Server{
		Handler:   s,
		ErrorLog:  log.New(io.Discard, "", 0), // connections fail on purpose here
		ConnState: l.connState,
		Protocols: new(http.Protocols),
		// No ReadTimeout, which would also end the context of a request, and no
		// WriteTimeout: some behaviours hang.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       10 * time.Minute,
	}
	l.server.Protocols.SetHTTP1(true)
	if c.Certificate != nil {
		l.URL = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*c.Certificate}})
	}
	l.open.Go(func() { _ = l.server.Serve(listener) }) // until Close
	return l, nil
}

// Connections returns how many connections were ever accepted.
func (l *Listening) Connections() int { return int(l.connections.Load()) }

// Close stops listening, closes all connections and waits for their end.
func (l *Listening) Close() {
	l.closing.Store(true)
	_ = l.server.Close() // the error is that of a listener that is closed already
	l.open.Wait()
}

// connState counts connections. Each ends in one of the last two states.
func (l *Listening) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.connections.Add(1)
		l.open.Add(1)
		if l.closing.Load() {
			_ = conn.Close() // the server's Close may have missed it
		}
	case http.StateClosed, http.StateHijacked:
		l.open.Done()
	}
}

// A PipeListener is a network in memory. It works in a testing/synctest bubble, where a wait
// for a socket would stop the fake clock.
type PipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// ListenPipe returns a listener for [ListenConfig]. Call it inside the bubble.
func ListenPipe() *PipeListener {
	return &PipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext connects to the listener, whatever the address. It fails once the listener is
// closed.
func (p *PipeListener) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	err := net.ErrClosed
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: p.Addr(), Err: err}
}

// Accept waits for the next connection.
func (p *PipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close makes the listener refuse connections.
func (p *PipeListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr returns localhost, a name in the certificates of an [Authority].
func (p *PipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "localhost" }
