package hmp

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// An effort is what one exchange spends on connections. Its deadline has to be
// handed down to a dial: a transport keeps that of the context from it, in the hope
// that a later request can use the connection, and a host that is silent would
// gather such dials without end.
type effort struct {
	deadline time.Time
	dials    atomic.Int32
	fresh    atomic.Bool // the exchange got a connection that was made for it
}

// mostDials is one for the exchange, and one more for when the first has gone to
// another exchange that needed it sooner.
const mostDials = 2

// mayDial tells whether an exchange may make a connection. A far side that gives up
// each one without an answer, as HTTP/2 allows with GOAWAY, is not tried again: a
// transport would make hundreds.
func (e *effort) mayDial() bool { return !e.fresh.Load() && e.dials.Add(1) <= mostDials }

// got notes a connection that the exchange uses.
func (e *effort) got(reused bool) {
	if !reused {
		e.fresh.Store(true)
	}
}

var errGivenUp = errors.New("the far side gave the connection up")

type effortKey struct{}

// within hands e down to [dialWithin].
func (e *effort) within(ctx context.Context) context.Context {
	e.deadline, _ = ctx.Deadline()
	return context.WithValue(ctx, effortKey{}, e)
}

// dialWithin bounds a dial, and the handshakes that follow it on the connection, by
// the effort of its exchange, and hands it to made. The trace lifts the bound when
// an exchange takes the connection.
func dialWithin(dial func(context.Context, string, string) (net.Conn, error), made func(net.Conn) net.Conn) func(context.Context, string, string) (net.Conn, error) {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		e := ctx.Value(effortKey{}).(*effort)
		if !e.mayDial() {
			return nil, errGivenUp
		}
		ctx, cancel := context.WithDeadline(ctx, e.deadline)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := conn.SetDeadline(e.deadline); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return made(conn), nil
	}
}
