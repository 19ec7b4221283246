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
	// drainPause is how long nobody has to connect for a listener to be drained.
	drainPause = 20 * time.Millisecond
	// fullDrain is when acceptPause is enough, because connections keep coming.
	fullDrain   = 500 * time.Millisecond
	acceptPause = time.Millisecond
	// maxDrain is when the listener closes in any case.
	maxDrain = 2 * time.Second
	// firstRequestTimeout is how long a connection that is new when the end comes may
	// take to send its request.
	firstRequestTimeout = time.Second
)

// A drainListener hands out what the kernel has accepted for it before it closes. To
// close at once would reset connections whose clients have every reason to expect an
// answer.
type drainListener struct {
	net.Listener
	logger *slog.Logger
	warn   rate.Sometimes

	mu    sync.Mutex
	began time.Time // when it was told to close
}

func newDrainListener(l net.Listener, logger *slog.Logger) *drainListener {
	return &drainListener{Listener: l, logger: logger, warn: rate.Sometimes{Interval: time.Minute}}
}

type deadliner interface{ SetDeadline(time.Time) error }

// Close makes Accept end when all is drained, or at once if a listener cannot have
// a deadline.
func (d *drainListener) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began = time.Now()
	l, ok := d.Listener.(deadliner)
	if !ok {
		return d.Listener.Close()
	}
	return l.SetDeadline(time.Now()) // which wakes Accept
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
	// It is closing, and every Accept begins with this error from now on.
	l := d.Listener.(deadliner)
	_ = l.SetDeadline(d.lastCall())
	conn, err = d.Listener.Accept()
	_ = l.SetDeadline(time.Now())
	if err != nil {
		_ = d.Listener.Close()
		return nil, net.ErrClosed
	}
	return conn, nil
}

// lastCall is when to give up the wait for another connection.
func (d *drainListener) lastCall() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	switch drained := now.Sub(d.began); {
	case drained < fullDrain:
		return now.Add(drainPause)
	case drained < maxDrain:
		return now.Add(acceptPause)
	default:
		return now
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

// handler removes the connection of a request, which has been read.
func (n *newConns) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			n.remove(c)
		}
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

func (n *newConns) none() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns) == 0
}

// wait waits until there is none, but no longer than d. It looks again and again, as
// [http.Server.Shutdown] does after it.
func (n *newConns) wait(d time.Duration) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(d); !n.none() && time.Now().Before(end); {
		<-again.C
	}
}
