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

// Phases has the duration of each phase of a call. A phase that did not occur is 0, such
// as a lookup for an IP address, or a connect on a reused connection. The phase in which the
// time ran out lasts until then.
type Phases struct {
	Resolve    time.Duration // DNS lookup of the HMP, or of the proxy if there is one
	Connect    time.Duration // TCP connect from the first address tried, and the CONNECT of a proxy
	TLS        time.Duration // TLS handshake with the HMP
	Processing time.Duration // from the connection to the first byte of the answer
	Transfer   time.Duration // from the first byte to the end of the body
}

// Add returns the sum of the phases of two attempts.
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
	numEvents
)

// An attempt sends the request of a [call] once, on one connection. It has the times of its
// events, which say how far it came.
type attempt struct {
	proxy       *url.URL // nil for none
	ca          string   // see Options.CA
	dialed      *conn
	handshakes  int
	http2       bool
	certificate time.Time

	// Goroutines of the dialer can record events even after the attempt has ended. So the lock
	// guards the times until the end, and nobody sets one afterwards.
	mu    sync.Mutex
	times [numEvents]time.Time
	ended time.Time
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

// record sets the time of an event. Only the first call counts.
func (a *attempt) record(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times[e].IsZero() && a.ended.IsZero() {
		a.times[e] = time.Now()
	}
}

// withProxy reports whether the current handshake is the one with the proxy, which comes
// first.
func (a *attempt) withProxy() bool {
	return a.proxy != nil && a.proxy.Scheme == "https" && a.handshakes == 1
}

func (a *attempt) handshakeStarted() {
	if a.handshakes++; a.withProxy() {
		a.record(proxyTLSStart)
		return
	}
	a.record(connectDone)
	a.record(tlsStart)
}

func (a *attempt) handshakeDone(state tls.ConnectionState, err error) {
	done := proxyTLSDone
	if !a.withProxy() {
		done, a.http2, a.certificate = tlsDone, state.NegotiatedProtocol == "h2", certificateExpiry(&state, err)
	}
	if err == nil {
		a.record(done)
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
		Transfer:   a.between(firstByte, numEvents),
	}
}

// between returns the time from one event to another. If the attempt did not reach the second
// event, it returns the time to the end.
func (a *attempt) between(from, to event) time.Duration {
	if !a.reached(from) {
		return 0
	}
	end := a.ended
	if to < numEvents && a.reached(to) {
		end = a.times[to]
	}
	return max(0, end.Sub(a.times[from]))
}
