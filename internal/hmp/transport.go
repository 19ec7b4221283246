package hmp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
)

const (
	// maxConnectionAge bounds the use of a kept connection. So the exporter notices a change
	// in DNS, a failover or a new certificate after this time.
	maxConnectionAge = 5 * time.Minute
	// maxIdleRead bounds the bytes that a server may send on an idle connection. A PING of
	// HTTP/2 has 39 bytes, with TLS.
	maxIdleRead = 4 << 10
	// maxUnread bounds the bytes of a body that HTTP/2 buffers before a read. The kernel
	// buffers about as much for HTTP/1.
	maxUnread = 64 << 10
	// maxHeaderSize bounds the header of a response, in bytes.
	maxHeaderSize = 64 << 10
)

// Options say how to reach one HMP.
type Options struct {
	URL                *url.URL                                                             // scheme, host and perhaps a path, without a slash at its end
	TLS                *tls.Config                                                          // for https; nil for Go's defaults
	RootCAs            func(context.Context) (*x509.CertPool, error)                        // the trusted certificates, called for each new connection; nil for those in TLS
	CA                 string                                                               // a name for RootCAs in errors, like "the CA in hmp.pem"; "" without RootCAs
	Address            string                                                               // host and port to connect to; "" for those of URL
	Proxy              func(*http.Request) (*url.URL, error)                                // the proxy for a request; nil for none
	ProxyConnectHeader http.Header                                                          // goes to a proxy along with a CONNECT
	KeepAlive          bool                                                                 // keep connections, for five minutes at most and not after a failure
	HTTP2              bool                                                                 // allow HTTP/2
	MaxBodySize        int64                                                                // maximum size of a session's body, in bytes
	MessageTexts       bool                                                                 // keep the texts of service messages, not only their number
	UserAgent          string                                                               // name/version of this program
	Dial               func(ctx context.Context, network, address string) (net.Conn, error) // nil for [net.Dialer]'s
}

// A pool makes connections to one HMP, and keeps them if KeepAlive is set.
//
// Rule: no exchange ends another. After a failed exchange, the pool gives the connection to
// no later exchange. It closes the connection when the last exchange on it has ended. The
// pool of [http.Transport] cannot do this, because it reuses a connection before the
// exchange on it is over.
type pool struct {
	options *Options
	scheme  string
	address string
	keep    bool

	mu        sync.Mutex
	transport *http.Transport
	roots     *x509.CertPool // of the transport
	kept      []*conn        // all kept connections, the oldest first
	idle      []*conn        // HTTP/1 connections in kept that no exchange uses, the last used last
	shared    []*conn        // HTTP/2 connections in kept
	closed    bool
	// One timer for all connections: a stopped timer can stay in memory until its time.
	timer *time.Timer
}

// A conn is a connection to an HMP, perhaps through a proxy. It embeds the TCP connection.
type conn struct {
	net.Conn
	client      *http.ClientConn
	shared      bool      // HTTP/2: several exchanges may use it at once
	kept        bool      // the pool keeps it; the pool's lock guards this
	certificate time.Time // see certificateExpiry
	made        time.Time

	users atomic.Int32 // exchanges, and the making of the connection
	// Bytes written, bytes read while idle, and the first two bytes read with a 1 before
	// them.
	written, idleRead atomic.Int64
	firstBytes        atomic.Uint32
}

// Read implements [net.Conn]. It closes the connection if a server sends too much while it is
// idle, because reading costs time.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 1 && c.firstBytes.Load() == 0 {
		c.firstBytes.Store(1<<16 | uint32(b[0])<<8 | uint32(b[1]))
	}
	if c.users.Load() == 0 && c.idleRead.Add(int64(n)) > maxIdleRead {
		_ = c.Conn.Close()
	}
	return n, err
}

// Write implements [net.Conn].
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// tooOld reports whether the connection is older than maxConnectionAge. It also uses the wall
// clock, because the monotonic clock stops while a machine is suspended.
func (c *conn) tooOld() bool {
	return max(time.Since(c.made), time.Now().Round(0).Sub(c.made.Round(0))) >= maxConnectionAge
}

// close closes the connection. closeNotify is true if it may send TLS's close_notify.
func (c *conn) close(closeNotify bool) {
	c.client.SetStateHook(nil)
	if !closeNotify {
		_ = c.Conn.Close()
	}
	_ = c.client.Close()
	_ = c.Conn.Close()
}

func newPool(o *Options) *pool {
	return &pool{
		options:   o,
		scheme:    o.URL.Scheme,
		address:   address(o.URL),
		keep:      o.KeepAlive,
		transport: newTransport(o, nil),
	}
}

// newTransport returns a transport, which only makes connections. Roots, unless nil, replace
// the trusted certificates of the options.
func newTransport(o *Options, roots *x509.CertPool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.HTTP2)
	config := o.TLS.Clone()
	if roots != nil {
		config = cmp.Or(config, new(tls.Config))
		config.RootCAs = roots
	}
	return &http.Transport{
		Protocols:          &protocols,
		Proxy:              func(r *http.Request) (*url.URL, error) { return attemptOf(r.Context()).proxy, nil },
		ProxyConnectHeader: o.ProxyConnectHeader,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return proxyRefusal(resp.StatusCode)
			}
			return nil
		},
		DialContext:            dialer(o.Dial, o.Address),
		TLSClientConfig:        config,
		DisableKeepAlives:      !o.KeepAlive,
		DisableCompression:     true, // a decompressed body could be a thousand times larger
		MaxResponseHeaderBytes: maxHeaderSize,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxUnread},
	}
}

// A caError is an error of Options.RootCAs.
type caError struct{ error }

func (e caError) Unwrap() error { return e.error }

// currentTransport returns the transport for a new connection. It makes a new transport if
// the CAs have changed.
func (p *pool) currentTransport(ctx context.Context) (*http.Transport, error) {
	var roots *x509.CertPool
	proxy := attemptOf(ctx).proxy
	if p.options.RootCAs != nil && (p.scheme == "https" || proxy != nil && proxy.Scheme == "https") {
		var err error
		if roots, err = p.options.RootCAs(ctx); err != nil {
			return nil, caError{err}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if roots != p.roots {
		p.roots, p.transport = roots, newTransport(p.options, roots)
	}
	return p.transport, nil
}

// address returns the host and port of a URL.
func address(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(host, port)
}

// take returns a kept connection for an exchange, or nil.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if p.reserve(c) {
			return c
		}
		p.retireLocked(c)
	}
	for _, c := range slices.Backward(slices.Clone(p.shared)) {
		if p.reserve(c) {
			return c
		}
		if c.users.Load() == 0 {
			p.retireLocked(c)
		}
	}
	return nil
}

// reserve reserves a kept connection for an exchange. It returns false if the connection cannot
// take one more.
func (p *pool) reserve(c *conn) bool {
	if c.tooOld() || c.client.Reserve() != nil {
		return false
	}
	c.users.Add(1)
	c.idleRead.Store(0)
	return true
}

// dial makes a connection for an attempt. It returns when ctx ends, even if the reading of
// a certificate file hangs.
func (p *pool) dial(ctx context.Context, t *attempt) (*conn, error) {
	type result struct {
		client *http.ClientConn
		err    error
	}
	done := make(chan result)
	go func() {
		var client *http.ClientConn
		transport, err := p.currentTransport(ctx)
		if err == nil {
			client, err = transport.NewClientConn(ctx, p.scheme, p.address)
		}
		select {
		case done <- result{client, err}:
		case <-ctx.Done():
			if err == nil {
				_ = client.Close()
			}
		}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.err
		}
		return p.add(t, r.client), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// add adds a new connection. The pool keeps another HTTP/2 connection only if no kept one
// can take more exchanges.
func (p *pool) add(t *attempt, client *http.ClientConn) *conn {
	c := t.dialed
	c.client, c.made = client, time.Now()
	at := t.end()
	c.shared, c.certificate = at.http2, at.certificate
	_ = c.SetDeadline(time.Time{}) // from now on the exchange's context ends it
	p.mu.Lock()
	defer p.mu.Unlock()
	hasShared := slices.ContainsFunc(p.shared, func(c *conn) bool { return c.client.Available() > 0 })
	if p.keep && !p.closed && !(c.shared && hasShared) {
		c.kept = true
		p.kept = append(p.kept, c)
		if c.shared {
			p.shared = append(p.shared, c)
		}
		if p.timer == nil {
			p.timer = time.AfterFunc(maxConnectionAge, p.sweep)
		}
		client.SetStateHook(func(client *http.ClientConn) {
			if client.Err() != nil { // the server has closed it
				go p.retire(c) // net/http can call the hook while the lock is held
			}
		})
	}
	return c
}

// release ends the use of a connection by an exchange. closeNotify is false if a write to
// the connection could block.
func (p *pool) release(c *conn, reusable, closeNotify bool) {
	p.mu.Lock()
	if !reusable {
		p.remove(c)
	}
	unused := c.users.Add(-1) == 0
	fit := c.kept && c.client.Available() > 0
	switch {
	case unused && !fit:
		p.remove(c)
	case unused && !c.shared:
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if unused && !fit {
		c.close(closeNotify)
	}
}

// retire takes a connection out of the pool. Exchanges under way go on.
func (p *pool) retire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retireLocked(c)
}

// sweep retires connections that are too old.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Clone(p.kept) {
		if c.tooOld() {
			p.retireLocked(c)
		}
	}
	if p.timer = nil; len(p.kept) > 0 {
		p.timer = time.AfterFunc(maxConnectionAge-time.Since(p.kept[0].made), p.sweep)
	}
}

// close retires all connections. The pool keeps no connection afterwards.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, c := range slices.Clone(p.kept) {
		p.retireLocked(c)
	}
}

// retireLocked is retire with the lock held.
func (p *pool) retireLocked(c *conn) {
	p.remove(c)
	if c.users.Load() == 0 {
		c.close(true)
	}
}

func (p *pool) remove(c *conn) {
	if !c.kept {
		return
	}
	c.kept = false
	for _, list := range []*[]*conn{&p.kept, &p.idle, &p.shared} {
		*list = slices.DeleteFunc(*list, func(other *conn) bool { return other == c })
	}
}

// dialer returns the dial function of a transport. The deadline of the exchange also bounds
// the handshakes that follow. If address is not "", it connects to address.
func dialer(dial func(context.Context, string, string) (net.Conn, error), address string) func(context.Context, string, string) (net.Conn, error) {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, of string) (net.Conn, error) {
		made, err := dial(ctx, network, cmp.Or(address, of))
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: made}
		c.users.Store(1)
		deadline, _ := ctx.Deadline()
		if err := c.SetDeadline(deadline); err != nil {
			_ = c.Close()
			return nil, err
		}
		attemptOf(ctx).dialed = c
		return c, nil
	}
}
