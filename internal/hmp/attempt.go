package hmp

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// An event is a moment in an attempt. It is the index of its time.
type event int

const (
	resolveStart event = iota
	resolveDone
	connectStart
	connectDone // to the HMP: through the proxy, if there is one
	proxyTLSStart
	proxyTLSDone
	tlsStart
	tlsDone
	gotConn
	firstByte
	end // of the attempt
)

// An attempt sends the request of a [call] once, on one connection. It has the times of its
// events, which say how far it came.
type attempt struct {
	proxy *url.URL // nil for none
	ca    string   // see Options.CA
	// The dialer and the hooks of TLS set these, and NewClientConn waits for them.
	handshakes  int
	http2       bool
	certificate time.Time

	// Goroutines of the dialer can record events even after the attempt has ended. So the lock
	// guards the times until the end, and nobody sets one afterwards.
	mu     sync.Mutex
	dialed *conn // nil for a reused connection
	times  [end]time.Time
	ended  time.Time
}

type attemptKey struct{}

// attemptOf returns the attempt of a context.
func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// withHooks returns the context of the attempt. A reused connection needs fewer hooks.
func (a *attempt) withHooks(ctx context.Context, reused bool) context.Context {
	hooks := &httptrace.ClientTrace{GotFirstResponseByte: func() { a.record(firstByte) }}
	if !reused {
		ctx = context.WithValue(ctx, attemptKey{}, a)
		hooks.DNSStart = func(httptrace.DNSStartInfo) { a.record(resolveStart) }
		hooks.DNSDone = func(httptrace.DNSDoneInfo) { a.record(resolveDone) }
		hooks.ConnectStart = func(_, _ string) { a.record(connectStart) }
		hooks.ConnectDone = func(_, _ string, err error) {
			if err == nil && a.proxy == nil {
				a.record(connectDone)
			}
		}
		hooks.TLSHandshakeStart, hooks.TLSHandshakeDone = a.handshakeStarted, a.handshakeDone
	}
	return httptrace.WithClientTrace(ctx, hooks)
}

// setDialed records the TCP connection that the dialer has made.
func (a *attempt) setDialed(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialed = c
}

// maxOverrun is how long an attempt may go on after its deadline.
const maxOverrun = time.Second

// closeAfterDeadline closes the TCP connection maxOverrun after the deadline, unless stop is
// called before. A server that reads nothing can make crypto/tls and HTTP/2 write, and hold a
// lock meanwhile that a cancelled request waits for. Only this ends the write. The connection is
// the idle one, or the one that the attempt dials.
func (a *attempt) closeAfterDeadline(ctx context.Context, idle *conn) (stop func() bool) {
	deadline, _ := ctx.Deadline()
	return time.AfterFunc(time.Until(deadline)+maxOverrun, func() {
		a.mu.Lock()
		c := cmp.Or(idle, a.dialed)
		a.mu.Unlock()
		if c != nil {
			_ = c.Conn.Close()
		}
	}).Stop
}

// record sets the time of an event. Only the first call counts.
func (a *attempt) record(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times[e].IsZero() && a.ended.IsZero() {
		a.times[e] = time.Now()
	}
}

// isProxyHandshake reports whether the current handshake is the one with the proxy, which
// comes first.
func (a *attempt) isProxyHandshake() bool {
	return a.proxy != nil && a.proxy.Scheme == "https" && a.handshakes == 1
}

func (a *attempt) handshakeStarted() {
	if a.handshakes++; a.isProxyHandshake() {
		a.record(proxyTLSStart)
		return
	}
	a.record(connectDone)
	a.record(tlsStart)
}

func (a *attempt) handshakeDone(state tls.ConnectionState, err error) {
	done := proxyTLSDone
	if !a.isProxyHandshake() {
		done, a.http2, a.certificate = tlsDone, state.NegotiatedProtocol == "h2", certificateExpiry(&state, err)
	}
	if err == nil {
		a.record(done)
	}
}

// connected records that the attempt has a connection.
func (a *attempt) connected(c *conn) {
	if a.reached(connectStart) {
		a.record(connectDone)
	}
	a.record(gotConn)
	a.certificate = c.certificate
}

// end ends the attempt. Only then may other methods read all times.
func (a *attempt) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = time.Now()
}

func (a *attempt) reached(e event) bool { return !a.times[e].IsZero() }

func (a *attempt) phases() Phases {
	return Phases{
		Resolve:    a.between(resolveStart, resolveDone),
		Connect:    a.between(connectStart, connectDone),
		TLS:        a.between(tlsStart, tlsDone),
		Processing: a.between(gotConn, firstByte),
		Transfer:   a.between(firstByte, end),
	}
}

// between returns the time from one event to another. If the attempt did not reach the second
// event, it returns the time to the end.
func (a *attempt) between(from, to event) time.Duration {
	if !a.reached(from) {
		return 0
	}
	until := a.ended
	if to < end && a.reached(to) {
		until = a.times[to]
	}
	return max(0, until.Sub(a.times[from]))
}
