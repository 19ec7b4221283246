package hmp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// maxConnectionAge is how long a kept connection is used, so that a change in
	// DNS, a failover or a new certificate is noticed.
	maxConnectionAge = 5 * time.Minute
	// maxUnread bounds what HTTP/2 takes of a body before it is asked for, in bytes:
	// as much as HTTP/1 leaves to the kernel.
	maxUnread = 64 << 10
	// maxHeaderSize bounds the header of a response, in bytes.
	maxHeaderSize = 64 << 10
)

// Options say how to reach one HMP.
type Options struct {
	// URL is the base URL: scheme, host and perhaps a path, without a slash at its end.
	URL *url.URL
	// TLS is the configuration for https; nil for Go's defaults.
	TLS *tls.Config
	// Proxy chooses the proxy for a request; nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// ProxyConnectHeader goes to a proxy along with a CONNECT.
	ProxyConnectHeader http.Header
	// KeepAlive keeps connections for later exchanges: five minutes at most, and
	// not after a failure. Without it, every exchange makes its own.
	KeepAlive bool
	// HTTP2 allows it.
	HTTP2 bool
	// MaxBodySize bounds the body of a session, in bytes.
	MaxBodySize int64
	// MessageTexts keeps the texts of service messages, not only their number.
	MessageTexts bool
	// UserAgent names this program, as name/version.
	UserAgent string
	// Dial makes connections; nil for those of [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// transports hands out one transport after the other, as the only way to limit
// the age of connections that a transport keeps.
type transports struct {
	options Options

	mu     sync.Mutex
	now    *transport
	made   time.Time
	closed bool
}

// A transport is one that exchanges share. It is guarded by its transports.
type transport struct {
	*http.Transport
	users   int
	dropped bool        // there is another one now
	conns   connSet     // that it has made, if somebody has to close them
	expiry  *time.Timer // drops it, if nothing else closes what is idle
}

// acquire returns the transport for an exchange that begins now, and releases it.
func (t *transports) acquire() *transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.options.KeepAlive && age(t.made) >= maxConnectionAge {
		t.drop()
	}
	tr := t.now
	if tr == nil {
		tr = t.newTransport()
	}
	tr.users++
	return tr
}

// newTransport makes the transport for exchanges to come; once all is closed, for
// one.
func (t *transports) newTransport() *transport {
	keep := t.options.KeepAlive && !t.closed
	tr := new(transport)
	made := func(c net.Conn) net.Conn { return c }
	if keep && t.options.HTTP2 {
		made = func(c net.Conn) net.Conn { return t.note(tr, c) }
		tr.expiry = time.AfterFunc(maxConnectionAge, func() { t.retire(tr) })
	}
	tr.Transport = t.options.transport(keep, made)
	if !t.closed {
		t.now, t.made = tr, time.Now()
	}
	return tr
}

// note has a transport remember a connection that it has made, perhaps too late for
// anybody to use it.
func (t *transports) note(tr *transport, c net.Conn) net.Conn {
	n := tr.conns.add(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	tr.tidy()
	return n
}

// release ends the use of a transport by an exchange.
func (t *transports) release(tr *transport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr.users--
	tr.tidy()
}

// age is how long ago a moment was, by the clock on the wall if that says more: the
// other one stands still while a machine is suspended.
func age(of time.Time) time.Duration {
	return max(time.Since(of), time.Now().Round(0).Sub(of.Round(0)))
}

// close gives up the current transport, and keeps no connection from now on.
func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.drop()
}

// retire gives a transport up, unless that has been done. Exchanges under way are
// not disturbed.
func (t *transports) retire(tr *transport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == tr {
		t.drop()
	}
}

func (t *transports) drop() {
	if t.now != nil {
		t.now.dropped = true
		if t.now.expiry != nil {
			t.now.expiry.Stop()
		}
		t.now.CloseIdleConnections() // and those in use, once they are idle
		t.now.tidy()
		t.now = nil
	}
}

// tidy closes what nobody uses any more. To tell a transport once to close what is
// idle is not enough: HTTP/1 forgets about it with the next exchange, and HTTP/2 keeps
// a connection that was in use.
func (t *transport) tidy() {
	if t.dropped && t.users == 0 {
		t.CloseIdleConnections()
		t.conns.close()
	}
}

// abandon makes sure that no later exchange uses a connection on which one failed:
// a load balancer may have tied it to the one broken server of many.
func (t *transports) abandon(tr *transport, conn net.Conn) {
	switch {
	case !t.options.KeepAlive || conn == nil:
	case t.options.HTTP2:
		t.retire(tr) // other exchanges may share the connection
	default:
		_ = conn.Close()
	}
}

// transport returns a transport that may keep connections. It uses what made makes of each.
func (o *Options) transport(keep bool, made func(net.Conn) net.Conn) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.HTTP2)
	t := &http.Transport{
		Protocols:              &protocols,
		Proxy:                  o.Proxy,
		ProxyConnectHeader:     o.ProxyConnectHeader,
		DialContext:            dialWithin(o.Dial, made),
		TLSClientConfig:        o.TLS.Clone(),
		DisableKeepAlives:      !keep,
		DisableCompression:     true, // a decoded body could be a thousand times its size
		MaxResponseHeaderBytes: maxHeaderSize,
		MaxIdleConnsPerHost:    1 << 20, // as many as there were exchanges at once
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxUnread},
	}
	// With HTTP/2, net/http sets the timer again for a connection that is closed,
	// which has to stay in memory until it ends.
	if !o.HTTP2 {
		t.IdleConnTimeout = maxConnectionAge
	}
	return t
}
