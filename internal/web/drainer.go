package web

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// drainPause is how long nobody has to connect for a listener to be drained.
	drainPause = 20 * time.Millisecond
	// fullDrain is when a shorter pause will do, because connections keep coming.
	fullDrain  = 500 * time.Millisecond
	shortPause = time.Millisecond
	// mostDrain is when there is an end to it.
	mostDrain = 2 * time.Second
)

// A drainer is a listener that hands out what the kernel has accepted for it before
// it closes. To close at once would reset connections whose clients have every
// reason to expect an answer.
type drainer struct {
	net.Listener

	mu    sync.Mutex
	began time.Time // when it was told to close
}

type deadliner interface{ SetDeadline(time.Time) error }

// Close makes Accept end when all is drained, or at once if a listener cannot have
// a deadline.
func (d *drainer) Close() error {
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
func (d *drainer) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return conn, err
	}
	// It is closing, and every Accept begins with this error from now on.
	l := d.Listener.(deadliner)
	_ = l.SetDeadline(d.soon())
	conn, err = d.Listener.Accept()
	_ = l.SetDeadline(time.Now())
	if err != nil {
		_ = d.Listener.Close()
		return nil, net.ErrClosed
	}
	return conn, nil
}

// soon is when to give up the wait for another connection.
func (d *drainer) soon() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	switch drained := now.Sub(d.began); {
	case drained < fullDrain:
		return now.Add(drainPause)
	case drained < mostDrain:
		return now.Add(shortPause)
	default:
		return now
	}
}
