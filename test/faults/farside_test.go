package faults

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// A farSide is what stands at the other end of a connection: an HMP, a proxy, or
// somebody whom no token is for. It counts connections, keeps the beginning of what
// it receives, and does to each connection what its script says. It is not an
// http.Server, because that cannot misbehave enough.
type farSide struct {
	listener net.Listener
	tls      *tls.Config // nil for none
	script   script
	keep     int // how much of what is received is kept, in bytes

	mu       sync.Mutex
	accepted int
	received []byte
	open     map[net.Conn]bool
	closed   bool
	running  sync.WaitGroup
}

// A script is what a far side does with one connection. What is left of that is
// closed behind it.
type script func(p *peer)

// listen returns a far side at an address, such as "127.0.0.1:0", that keeps so many
// bytes of what it receives.
func listen(t testing.TB, address string, keep int, config *tls.Config, s script) *farSide {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	f := &farSide{listener: l, tls: config, script: s, keep: keep, open: make(map[net.Conn]bool)}
	f.running.Go(f.accept)
	return f
}

func (f *farSide) address() string { return f.listener.Addr().String() }

func (f *farSide) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // it was closed
		}
		if !f.began(conn) {
			_ = conn.Close()
			return
		}
		f.running.Go(func() {
			defer f.ended(conn)
			f.serve(conn.(*net.TCPConn))
		})
	}
}

func (f *farSide) serve(conn *net.TCPConn) {
	p := &peer{Conn: conn, far: f, tcp: conn}
	if f.tls != nil {
		secure := tls.Server(conn, f.tls)
		if secure.Handshake() != nil {
			// What the client has sent meanwhile is read, or the system would take
			// back with a reset what the handshake ended in.
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		p.Conn = secure
	}
	p.in = bufio.NewReader(recorder{p})
	f.script(p)
	_ = p.Close()
}

func (f *farSide) began(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.accepted++
	f.open[conn] = true
	return true
}

func (f *farSide) ended(conn net.Conn) {
	_ = conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, conn)
}

// connections returns how many there have been.
func (f *farSide) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.accepted
}

// heard returns the beginning of what was received.
func (f *farSide) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.received)
}

// close drops all connections and waits until the scripts have ended.
func (f *farSide) close() {
	_ = f.listener.Close()
	f.mu.Lock()
	f.closed = true
	for conn := range f.open {
		_ = conn.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

// A peer is a far side's end of one connection.
type peer struct {
	net.Conn // TLS, if there is any
	far      *farSide
	tcp      *net.TCPConn
	in       *bufio.Reader
	out      [4 << 10]byte
}

// A recorder reads what a peer receives, and keeps its beginning.
type recorder struct{ *peer }

func (r recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	f := r.far
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received = append(f.received, b[:min(n, f.keep-len(f.received))]...)
	return n, err
}

// request returns the next request, body and all, or nil if there is none.
func (p *peer) request() *http.Request {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil
	}
	return r
}

// say sends a text and reports whether it went out. It takes a piece at a time, so
// that a large text needs no second copy.
func (p *peer) say(text string) bool {
	for text != "" {
		n := copy(p.out[:], text)
		if _, err := p.Write(p.out[:n]); err != nil {
			return false
		}
		text = text[n:]
	}
	return true
}

// repeat sends a text over and over, until it has sent that many bytes or the
// other side has gone; without end if total is negative.
func (p *peer) repeat(text string, total int) {
	chunk := []byte(text)
	for total != 0 {
		if total > 0 {
			chunk = chunk[:min(total, len(chunk))]
			total -= len(chunk)
		}
		if _, err := p.Write(chunk); err != nil {
			return
		}
	}
}

// drip sends a text one byte at a time, with a pause before each.
func (p *peer) drip(text string, pause time.Duration) {
	for i := range len(text) {
		if !p.pause(pause) || !p.say(text[i:i+1]) {
			return
		}
	}
}

// slices sends a text in packets of ten bytes.
func (p *peer) slices(text string) {
	for piece := range slices.Chunk([]byte(text), 10) {
		if !p.pause(10*time.Microsecond) || !p.say(string(piece)) {
			return
		}
	}
}

// pause returns true after d, or false as soon as the other side has gone.
func (p *peer) pause(d time.Duration) bool {
	_ = p.tcp.SetReadDeadline(time.Now().Add(d))
	_, err := p.tcp.Read(make([]byte, 1))
	_ = p.tcp.SetReadDeadline(time.Time{})
	timeout, ok := err.(net.Error) //nolint:errorlint // it is what a connection returns
	return ok && timeout.Timeout()
}

// hold is silent until the other side has gone.
func (p *peer) hold() { _, _ = io.Copy(io.Discard, p.in) }

// reset drops the connection with a TCP reset.
func (p *peer) reset() {
	_ = p.tcp.SetLinger(0)
	_ = p.tcp.Close()
}

// cut ends the connection without the farewell of TLS.
func (p *peer) cut() { _ = p.tcp.Close() }
