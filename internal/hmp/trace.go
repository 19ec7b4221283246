package hmp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// Phases is how long each part of an exchange took. A part that did not occur
// (a lookup of an address, a handshake without TLS, a connection that was kept)
// took no time; the part in which the time ran out lasts until then.
type Phases struct {
	Resolve    time.Duration // looking the host name up: the proxy's, if there is one
	Connect    time.Duration // setting up TCP, from the first address tried, and what a proxy takes to connect
	TLS        time.Duration // the handshake with the HMP
	Processing time.Duration // from having a connection to the first byte of the answer
	Transfer   time.Duration // from there to the end of the body
}

// Add returns the phases of two exchanges together.
func (p Phases) Add(q Phases) Phases {
	return Phases{p.Resolve + q.Resolve, p.Connect + q.Connect, p.TLS + q.TLS, p.Processing + q.Processing, p.Transfer + q.Transfer}
}

// A Phase is one of [Phases] with its name.
type Phase struct {
	Name string
	Took time.Duration
}

// Each returns the phases in the order in which they occur.
func (p Phases) Each() [5]Phase {
	return [...]Phase{{"resolve", p.Resolve}, {"connect", p.Connect}, {"tls", p.TLS}, {"processing", p.Processing}, {"transfer", p.Transfer}}
}

// Total returns how long all phases took together.
func (p Phases) Total() time.Duration {
	return p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer
}

// A mark is a point in the course of an attempt.
type mark int

const (
	resolveStart mark = iota
	resolveDone
	connectStart
	connectDone // to the HMP: through the proxy, if there is one
	proxyTLSStart
	proxyTLSDone
	tlsStart
	tlsDone
	gotConn
	firstByte
	numMarks
)

// An attempt is one try of an exchange. What is observed of it ends with it: an exchange
// that tries again has another attempt. Goroutines of the dialer call its hooks, even
// after it has ended. Hence the lock, and the copy that [attempt.end] takes.
type attempt struct {
	proxy  *url.URL // nil for none
	ca     string   // what is trusted, as in Options
	dialed *conn

	mu sync.Mutex
	timeline
}

// A timeline is what is observed of an attempt.
type timeline struct {
	marks       [numMarks]time.Time
	ended       time.Time
	handshakes  int
	http2       bool
	certificate time.Time
}

type attemptKey struct{}

// attemptOf returns the attempt that a context was made for.
func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// within returns the context of the attempt, which makes no connection if it has a kept one.
func (t *attempt) within(ctx context.Context, kept bool) context.Context {
	hooks := &httptrace.ClientTrace{GotFirstResponseByte: func() { t.mark(firstByte) }}
	if !kept {
		ctx = context.WithValue(ctx, attemptKey{}, t)
		hooks.DNSStart = func(httptrace.DNSStartInfo) { t.mark(resolveStart) }
		hooks.DNSDone = func(httptrace.DNSDoneInfo) { t.mark(resolveDone) }
		hooks.ConnectStart = func(_, _ string) { t.mark(connectStart) }
		hooks.ConnectDone = func(_, _ string, err error) {
			if err == nil && t.proxy == nil {
				t.mark(connectDone)
			}
		}
		hooks.TLSHandshakeStart, hooks.TLSHandshakeDone = t.handshake, t.handshaken
	}
	return httptrace.WithClientTrace(ctx, hooks)
}

// mark notes the time at m, once.
func (t *attempt) mark(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(m)
}

func (t *timeline) set(m mark) {
	if t.marks[m].IsZero() {
		t.marks[m] = time.Now()
	}
}

// withProxy tells whether the handshake under way is that with the proxy: it comes first.
func (t *attempt) withProxy() bool {
	return t.proxy != nil && t.proxy.Scheme == "https" && t.handshakes == 1
}

func (t *attempt) handshake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.handshakes++; t.withProxy() {
		t.set(proxyTLSStart)
		return
	}
	t.set(connectDone)
	t.set(tlsStart)
}

func (t *attempt) handshaken(state tls.ConnectionState, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := proxyTLSDone
	if !t.withProxy() {
		done, t.http2, t.certificate = tlsDone, state.NegotiatedProtocol == "h2", certificateExpiry(&state, err)
	}
	if err == nil {
		t.set(done)
	}
}

// certificateExpiry returns when a certificate ends to be good: with the chain that
// lasts longest of those that were verified, each by its earliest certificate. Where
// verification failed it is the earliest of what was presented, and where that is off
// the leaf's. It is zero if no certificate is known.
func certificateExpiry(state *tls.ConnectionState, err error) (expiry time.Time) {
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return earliest(refused.UnverifiedCertificates)
	}
	if len(state.VerifiedChains) == 0 && len(state.PeerCertificates) > 0 {
		return state.PeerCertificates[0].NotAfter
	}
	for _, chain := range state.VerifiedChains {
		if end := earliest(chain); end.After(expiry) {
			expiry = end
		}
	}
	return expiry
}

func earliest(chain []*x509.Certificate) (end time.Time) {
	for _, c := range chain {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// use notes that the attempt has a connection.
func (t *attempt) use(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reached(connectStart) {
		t.set(connectDone)
	}
	t.set(gotConn)
	t.certificate = c.certificate
}

// end returns what was observed until now.
func (t *attempt) end() *timeline {
	t.mu.Lock()
	defer t.mu.Unlock()
	observed := t.timeline
	observed.ended = time.Now()
	return &observed
}

func (t *timeline) reached(m mark) bool { return !t.marks[m].IsZero() }

func (t *timeline) phases() Phases {
	return Phases{
		Resolve:    t.between(resolveStart, resolveDone),
		Connect:    t.between(connectStart, connectDone),
		TLS:        t.between(tlsStart, tlsDone),
		Processing: t.between(gotConn, firstByte),
		Transfer:   t.between(firstByte, numMarks),
	}
}

// between returns the time from one mark to another, or to the end if the attempt did
// not reach that.
func (t *timeline) between(from, to mark) time.Duration {
	if !t.reached(from) {
		return 0
	}
	end := t.ended
	if to < numMarks && t.reached(to) {
		end = t.marks[to]
	}
	return max(0, end.Sub(t.marks[from]))
}
