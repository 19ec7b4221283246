package hmpsim

import (
	"context"
	"net"
	"sync"
)

// A PipeListener is a network of its own in memory. Other than a socket it
// works under testing/synctest, where waiting for the network would stop the
// fake clock.
type PipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// ListenPipe returns a listener for [ListenConfig]. In a synctest bubble it must
// be made inside.
func ListenPipe() *PipeListener {
	return &PipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext connects to the listener, whatever the address. It is meant for
// [http.Transport] and fails once the listener is closed.
func (p *PipeListener) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Net: network, Addr: p.Addr(), Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: network, Addr: p.Addr(), Err: ctx.Err()}
	}
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

// Close refuses connections from now on.
func (p *PipeListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr returns the name that the server's URL gets: localhost, so that the
// certificates of [Authority] fit.
func (p *PipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "localhost" }
