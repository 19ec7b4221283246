package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = 30 * time.Second

// lobbyPatience is how long a connection that is new when the end comes may take to
// send its request.
const lobbyPatience = time.Second

// A server is that of one listener. Unlike [http.Server.Shutdown] alone, it ends
// only when the first request of everybody who has connected is answered: Shutdown
// drops one that is read after it was called. A kept connection that is idle is
// closed, as its client has to expect at any time.
type server struct {
	http.Server
	listener *drainer
	lobby    lobby
	draining atomic.Bool
	ended    chan struct{} // closed when nothing is accepted any more
}

// newServer returns a server whose pages are told by ctx when the end comes. A scrape
// does not mind that; a profile does.
func newServer(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) *server {
	s := &server{listener: &drainer{Listener: l}, ended: make(chan struct{})}
	s.Server = http.Server{
		Handler:           s.lobby.handler(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second, // of a body that is sent before it is known to be welcome
		WriteTimeout:      writeTimeout,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: writeTimeout}, // which no stream's deadline does
		BaseContext:       func(net.Listener) context.Context { return ctx },
		IdleTimeout:       5 * time.Minute, // longer than scrapes are apart
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ConnState:         s.lobby.connState,
		ConnContext:       withConn,
	}
	return s
}

// serve answers until the listener ends. That is an error unless it was drained.
func (s *server) serve(flags *toolkit.FlagConfig, logger *slog.Logger) error {
	defer close(s.ended)
	err := toolkit.Serve(s.listener, &s.Server, flags, logger)
	if s.draining.Load() {
		return nil
	}
	return err
}

// drain accepts no more and returns when every request has been answered.
func (s *server) drain(ctx context.Context) error {
	s.draining.Store(true)
	_ = s.listener.Close()
	<-s.ended
	_ = s.listener.Listener.Close() // it is closed already, unless serve failed
	s.SetKeepAlivesEnabled(false)
	s.lobby.wait(lobbyPatience)
	return s.Shutdown(ctx)
}

// A lobby has the connections whose first request is still to be read.
type lobby struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	empty chan struct{} // closed when it is, if somebody waits for that
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func (l *lobby) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			l.leave(c)
		}
		next.ServeHTTP(w, r)
	})
}

func (l *lobby) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.enter(c)
	case http.StateClosed, http.StateHijacked:
		l.leave(c)
	}
}

func (l *lobby) enter(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		l.conns = make(map[net.Conn]struct{})
	}
	l.conns[c] = struct{}{}
}

func (l *lobby) leave(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	if len(l.conns) == 0 && l.empty != nil {
		close(l.empty)
		l.empty = nil
	}
}

// wait waits until the lobby is empty, but no longer than d.
func (l *lobby) wait(d time.Duration) {
	empty := make(chan struct{})
	l.mu.Lock()
	if len(l.conns) == 0 {
		l.mu.Unlock()
		return
	}
	l.empty = empty
	l.mu.Unlock()
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-empty:
	case <-late.C:
	}
}
