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

// A server is an HMP, a proxy or a foreign server. It runs its script for each connection,
// counts connections and records what it receives.
type server struct {
	listener net.Listener
	tls      *tls.Config // nil for none
	script   script

	maxRecorded int // bytes

	mu       sync.Mutex
	accepted int
	recorded []byte
	open     map[net.Conn]bool
	closed   bool
	running  sync.WaitGroup
}

// A script handles one connection. The connection is closed after it.
type script func(p *peer)

// listen starts a server at an address, such as [anyPort].
func listen(t testing.TB, address string, maxRecorded int, config *tls.Config, sc script) *server {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: l, tls: config, script: sc, maxRecorded: maxRecorded, open: make(map[net.Conn]bool)}
	s.running.Go(s.accept)
	return s
}

func (s *server) address() string { return s.listener.Addr().String() }

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // it was closed
		}
		if !s.began(conn) {
			_ = conn.Close()
			return
		}
		s.running.Go(func() {
			defer s.ended(conn)
			s.serve(conn.(*net.TCPConn))
		})
	}
}

func (s *server) serve(conn *net.TCPConn) {
	p := &peer{Conn: conn, server: s, tcp: conn}
	if s.tls != nil {
		secure := tls.Server(conn, s.tls)
		if secure.Handshake() != nil {
			// Unread data would turn the close into a reset, and the client
			// would not see the alert.
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		p.Conn = secure
	}
	p.in = bufio.NewReader(recorder{p})
	s.script(p)
	_ = p.Close()
}

func (s *server) began(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.accepted++
	s.open[conn] = true
	return true
}

func (s *server) ended(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// connections returns the number of accepted connections.
func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// received returns the recorded bytes.
func (s *server) received() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.recorded)
}

// close closes all connections and waits until the scripts have ended.
func (s *server) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// A peer is the server's end of one connection.
type peer struct {
	net.Conn // TLS, if the server has it
	server   *server
	tcp      *net.TCPConn
	in       *bufio.Reader
	out      [4 << 10]byte
}

// A recorder reads from a peer and records what it reads.
type recorder struct{ *peer }

func (r recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recorded = append(s.recorded, b[:min(n, s.maxRecorded-len(s.recorded))]...)
	return n, err
}

// request reads the next request with its body. It returns nil if there is none.
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

// write sends a text and tells whether that succeeded. It sends small pieces, so a large text
// needs no second copy.
func (p *peer) write(text string) bool {
	for text != "" {
		n := copy(p.out[:], text)
		if _, err := p.Write(p.out[:n]); err != nil {
			return false
		}
		text = text[n:]
	}
	return true
}

// repeat sends a text again and again: total bytes, or until the client closes the connection
// if total is negative.
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

// writeSlowly sends a text one byte at a time, with a pause before each.
func (p *peer) writeSlowly(text string, pause time.Duration) {
	for i := range len(text) {
		if !p.wait(pause) || !p.write(text[i:i+1]) {
			return
		}
	}
}

// writePackets sends a text in packets of ten bytes.
func (p *peer) writePackets(text string) {
	for piece := range slices.Chunk([]byte(text), 10) {
		if !p.wait(10*time.Microsecond) || !p.write(string(piece)) {
			return
		}
	}
}

// wait returns true after d, or false as soon as the client closes the connection.
func (p *peer) wait(d time.Duration) bool {
	_ = p.tcp.SetReadDeadline(time.Now().Add(d))
	_, err := p.tcp.Read(make([]byte, 1))
	_ = p.tcp.SetReadDeadline(time.Time{})
	timeout, ok := err.(net.Error) //nolint:errorlint // a connection returns exactly this type
	return ok && timeout.Timeout()
}

// hang sends nothing until the client closes the connection.
func (p *peer) hang() { _, _ = io.Copy(io.Discard, p.in) }

// reset closes the connection with a TCP reset.
func (p *peer) reset() {
	_ = p.tcp.SetLinger(0)
	_ = p.tcp.Close()
}

// closeTCP closes the connection without the close_notify of TLS.
func (p *peer) closeTCP() { _ = p.tcp.Close() }
