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

// Phases has the duration of each phase of an exchange. A phase that did not occur is 0, such
// as a lookup for an IP address, or a connect on a kept connection. The phase in which the
// time ran out lasts until then.
type Phases struct {
	Resolve    time.Duration // DNS lookup of the HMP, or of the proxy if there is one
	Connect    time.Duration // TCP connect from the first address tried, and the CONNECT of a proxy
	TLS        time.Duration // TLS handshake with the HMP
	Processing time.Duration // from the connection to the first byte of the answer
	Transfer   time.Duration // from the first byte to the end of the body
}

// Add returns the sum of the phases of two exchanges.
func (p Phases) Add(q Phases) Phases {
	return Phases{p.Resolve + q.Resolve, p.Connect + q.Connect, p.TLS + q.TLS, p.Processing + q.Processing, p.Transfer + q.Transfer}
}

// A Phase is one phase of [Phases] with its name.
type Phase struct {
	Name string
	Took time.Duration
}

// Each returns the phases in the order in which they occur.
func (p Phases) Each() [5]Phase {
	return [...]Phase{{"resolve", p.Resolve}, {"connect", p.Connect}, {"tls", p.TLS}, {"processing", p.Processing}, {"transfer", p.Transfer}}
}

// Total returns the duration of all phases together.
func (p Phases) Total() time.Duration {
	return p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer
}

// A mark is an event in an attempt, with an index for its time.
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

// An attempt is one try of an exchange. A second try has an attempt of its own.
type attempt struct {
	proxy       *url.URL // nil for none
	ca          string   // see Options.CA
	dialed      *conn
	handshakes  int
	http2       bool
	certificate time.Time

	// Goroutines of the dialer can set marks even after the attempt has ended. So the lock
	// guards the marks until the end, and nobody sets one afterwards.
	mu    sync.Mutex
	marks [numMarks]time.Time
	ended time.Time
}

type attemptKey struct{}

// attemptOf returns the attempt of a context.
func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// withHooks returns the context of the attempt. With a kept connection it needs fewer hooks.
func (t *attempt) withHooks(ctx context.Context, kept bool) context.Context {
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
		hooks.TLSHandshakeStart, hooks.TLSHandshakeDone = t.handshakeStarted, t.handshakeDone
	}
	return httptrace.WithClientTrace(ctx, hooks)
}

// mark records the time of m. Only the first call counts.
func (t *attempt) mark(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.marks[m].IsZero() && t.ended.IsZero() {
		t.marks[m] = time.Now()
	}
}

// withProxy reports whether the current handshake is the one with the proxy, which comes
// first.
func (t *attempt) withProxy() bool {
	return t.proxy != nil && t.proxy.Scheme == "https" && t.handshakes == 1
}

func (t *attempt) handshakeStarted() {
	if t.handshakes++; t.withProxy() {
		t.mark(proxyTLSStart)
		return
	}
	t.mark(connectDone)
	t.mark(tlsStart)
}

func (t *attempt) handshakeDone(state tls.ConnectionState, err error) {
	done := proxyTLSDone
	if !t.withProxy() {
		done, t.http2, t.certificate = tlsDone, state.NegotiatedProtocol == "h2", certificateExpiry(&state, err)
	}
	if err == nil {
		t.mark(done)
	}
}

// certificateExpiry returns when a certificate expires. A chain expires with its earliest
// certificate, and the verified chain that lasts longest counts. If verification failed, the
// earliest of the presented certificates counts. If verification is off, the leaf counts.
// The expiry is zero if no certificate is known.
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

// connected records that the attempt has a connection.
func (t *attempt) connected(c *conn) {
	if t.reached(connectStart) {
		t.mark(connectDone)
	}
	t.mark(gotConn)
	t.certificate = c.certificate
}

// end ends the attempt. Only then may other methods read all marks.
func (t *attempt) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = time.Now()
}

func (t *attempt) reached(m mark) bool { return !t.marks[m].IsZero() }

func (t *attempt) phases() Phases {
	return Phases{
		Resolve:    t.between(resolveStart, resolveDone),
		Connect:    t.between(connectStart, connectDone),
		TLS:        t.between(tlsStart, tlsDone),
		Processing: t.between(gotConn, firstByte),
		Transfer:   t.between(firstByte, numMarks),
	}
}

// between returns the time from one mark to another. If the attempt did not reach the second
// mark, it returns the time to the end.
func (t *attempt) between(from, to mark) time.Duration {
	if !t.reached(from) {
		return 0
	}
	end := t.ended
	if to < numMarks && t.reached(to) {
		end = t.marks[to]
	}
	return max(0, end.Sub(t.marks[from]))
}
