package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
	"time"
)

// Phases is how long each part of an exchange took. A part that did not occur
// (a lookup of an address, a handshake without TLS, a connection that was kept)
// took no time; the part in which the time ran out lasts until then.
type Phases struct {
	Resolve    time.Duration // looking the host name up
	Connect    time.Duration // setting up TCP, from the first address tried
	TLS        time.Duration // the handshake
	Processing time.Duration // from having a connection to the first byte of the answer
	Transfer   time.Duration // from there to the end of the body
}

// Add returns the phases of two exchanges together.
func (p Phases) Add(other Phases) Phases {
	return Phases{
		Resolve:    p.Resolve + other.Resolve,
		Connect:    p.Connect + other.Connect,
		TLS:        p.TLS + other.TLS,
		Processing: p.Processing + other.Processing,
		Transfer:   p.Transfer + other.Transfer,
	}
}

// A Phase is one of [Phases] with its name.
type Phase struct {
	Name string
	Took time.Duration
}

// Each returns the phases in the order in which they occur.
func (p Phases) Each() [5]Phase {
	return [...]Phase{
		{"resolve", p.Resolve}, {"connect", p.Connect}, {"tls", p.TLS},
		{"processing", p.Processing}, {"transfer", p.Transfer},
	}
}

// Total returns how long all phases took together.
func (p Phases) Total() time.Duration {
	return p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer
}

// A mark is a point in the course of an exchange.
type mark int

const (
	resolveStart mark = iota
	resolveDone
	connectStart
	connectDone
	tlsStart
	tlsDone
	gotConn
	firstByte
	numMarks
)

// A trace notes when things happen to one exchange. The transport calls it from
// its own goroutines, even after the exchange has ended: it lets a dial go on that
// nobody waits for any more. Hence the lock, and the copy that [trace.end] takes.
type trace struct {
	effort effort

	mu sync.Mutex
	timeline
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { t.first(resolveStart) },
		DNSDone:              func(httptrace.DNSDoneInfo) { t.last(resolveDone) },
		ConnectStart:         func(_, _ string) { t.first(connectStart) },
		ConnectDone:          func(_, _ string, err error) { t.connected(err) },
		TLSHandshakeStart:    func() { t.last(tlsStart) },
		TLSHandshakeDone:     t.handshaken,
		GotConn:              t.got,
		GotFirstResponseByte: func() { t.last(firstByte) },
	}
}

// first notes the time at m unless it has been noted.
func (t *trace) first(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.marks[m].IsZero() {
		t.marks[m] = time.Now()
	}
}

// last notes the time at m, over an earlier one.
func (t *trace) last(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks[m] = time.Now()
}

// connected is told of each address that was tried.
func (t *trace) connected(err error) {
	if err == nil {
		t.first(connectDone)
	}
}

func (t *trace) handshaken(state tls.ConnectionState, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.chain = state.PeerCertificates
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		t.chain = refused.UnverifiedCertificates
	}
	if err == nil {
		t.marks[tlsDone] = time.Now()
	}
}

func (t *trace) got(info httptrace.GotConnInfo) {
	t.effort.got(info.Reused)
	// The bound of dialWithin has done its work; from here on the transport
	// ends the exchange with its context.
	_ = info.Conn.SetDeadline(time.Time{})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks[gotConn] = time.Now()
	t.conn = info.Conn
	if c, ok := info.Conn.(*tls.Conn); ok {
		t.chain = c.ConnectionState().PeerCertificates
	}
}

// end returns what was noted until now.
func (t *trace) end() timeline {
	t.mu.Lock()
	defer t.mu.Unlock()
	noted := t.timeline
	noted.ended = time.Now()
	return noted
}

// A timeline is what a trace notes.
type timeline struct {
	marks [numMarks]time.Time
	ended time.Time
	conn  net.Conn            // the one that was used
	chain []*x509.Certificate // that the far side presented
}

func (t *timeline) reached(m mark) bool { return !t.marks[m].IsZero() }

func (t *timeline) phases() Phases {
	return Phases{
		Resolve:    t.between(resolveStart, resolveDone),
		Connect:    t.between(connectStart, connectDone),
		TLS:        t.between(tlsStart, tlsDone),
		Processing: t.between(gotConn, firstByte),
		Transfer:   t.since(firstByte),
	}
}

// between returns the time from one mark to another, or to the end if that was
// not reached.
func (t *timeline) between(from, to mark) time.Duration {
	if !t.reached(from) {
		return 0
	}
	if !t.reached(to) {
		return t.since(from)
	}
	return max(0, t.marks[to].Sub(t.marks[from]))
}

func (t *timeline) since(from mark) time.Duration {
	if !t.reached(from) {
		return 0
	}
	return max(0, t.ended.Sub(t.marks[from]))
}

// expiry returns the earliest end of validity in the chain that was presented.
func (t *timeline) expiry() (earliest time.Time) {
	for _, c := range t.chain {
		if earliest.IsZero() || c.NotAfter.Before(earliest) {
			earliest = c.NotAfter
		}
	}
	return earliest
}
