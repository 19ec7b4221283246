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

// A ListenConfig says how a [Server] is served. The zero value is plain HTTP on
// a free port of 127.0.0.1.
type ListenConfig struct {
	// Listener is taken in place of a free port; a [PipeListener], say.
	Listener net.Listener
	// Certificate turns on TLS.
	Certificate *tls.Certificate
}

// A Listening is a server that is being served.
type Listening struct {
	URL string // the base URL

	server      *http.Server
	closing     atomic.Bool
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
		ErrorLog:  log.New(io.Discard, "", 0), // things go wrong on purpose here
		ConnState: l.connState,
		Protocols: new(http.Protocols),
		// Neither ReadTimeout, which would also end the context of a request
		// that is being answered, nor WriteTimeout: hanging is one of the
		// things to be simulated.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       10 * time.Minute,
	}
	l.server.Protocols.SetHTTP1(true)
	serve := l.server.Serve
	if c.Certificate != nil {
		l.URL = "https" + l.URL[len("http"):]
		l.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*c.Certificate}}
		serve = func(inner net.Listener) error { return l.server.ServeTLS(inner, "", "") }
	}
	l.open.Go(func() { _ = serve(listener) }) // always ErrServerClosed, or nobody can connect
	return l, nil
}

// Connections returns how many connections were ever accepted.
func (l *Listening) Connections() int { return int(l.connections.Load()) }

// Close stops listening, drops all connections and waits for their end.
func (l *Listening) Close() {
	l.closing.Store(true)
	_ = l.server.Close() // its error is that of a listener closed already
	l.open.Wait()
}

// connState counts connections. Each ends in one of the last two states.
func (l *Listening) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.connections.Add(1)
		l.open.Add(1)
		// One that was accepted while http.Server.Close went through the
		// others is not known to it, and would stay open.
		if l.closing.Load() {
			_ = conn.Close()
		}
	case http.StateClosed, http.StateHijacked:
		l.open.Done()
	}
}
