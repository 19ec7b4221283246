package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

const (
	// A listener is drained when nobody connects for drainPause. If connections keep coming, then
	// after fullDrain acceptPause is enough, and after maxDrain the listener closes in any case.
	drainPause  = 20 * time.Millisecond
	fullDrain   = 500 * time.Millisecond
	acceptPause = time.Millisecond
	maxDrain    = 2 * time.Second
	// firstRequestTimeout is the time for the first request of a connection after the end has
	// begun.
	firstRequestTimeout = time.Second
)

// A drainListener loses no connection when it closes. The kernel takes connections before the
// program accepts them, and resets the rest when the listener closes. So a drainListener
// accepts the rest first.
type drainListener struct {
	net.Listener
	logger *slog.Logger
	warn   rate.Sometimes

	mu    sync.Mutex
	began time.Time // when Close was called
}

type deadliner interface{ SetDeadline(time.Time) error }

// Close makes Accept end when the listener is drained. A listener without deadlines closes at
// once.
func (d *drainListener) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began = time.Now()
	l, ok := d.Listener.(deadliner)
	if !ok {
		return d.Listener.Close()
	}
	return l.SetDeadline(time.Now()) // wakes Accept
}

// Accept implements [net.Listener].
func (d *drainListener) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		d.warn.Do(func() { // net/http tries again
			d.logger.Warn("cannot accept connections: too many files are open; raise the limit of open files (ulimit -n, or LimitNOFILE= in the systemd unit)", "err", err)
		})
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return conn, err
	}
	// After Close, the first Accept always returns this error.
	l := d.Listener.(deadliner)
	_ = l.SetDeadline(time.Now().Add(d.pause()))
	conn, err = d.Listener.Accept()
	_ = l.SetDeadline(time.Now())
	if err != nil {
		_ = d.Listener.Close()
		return nil, net.ErrClosed
	}
	return conn, nil
}

// pause returns how long to wait for another connection.
func (d *drainListener) pause() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch drained := time.Since(d.began); {
	case drained < fullDrain:
		return drainPause
	case drained < maxDrain:
		return acceptPause
	default:
		return 0
	}
}

// newConns are the connections whose first request has not been read.
type newConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// handler removes the connection of a request.
func (n *newConns) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.remove(r.Context().Value(connKey{}).(net.Conn))
		next.ServeHTTP(w, r)
	})
}

func (n *newConns) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.conns == nil {
			n.conns = make(map[net.Conn]struct{})
		}
		n.conns[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		n.remove(c)
	}
}

func (n *newConns) remove(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// wait waits until there is none, but no longer than timeout. It polls, as
// [http.Server.Shutdown] does.
func (n *newConns) wait(timeout time.Duration) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(timeout); time.Now().Before(end); <-ticker.C {
		n.mu.Lock()
		count := len(n.conns)
		n.mu.Unlock()
		if count == 0 {
			return
		}
	}
}
