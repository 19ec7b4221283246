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
	address string

	mu        sync.Mutex
	transport *http.Transport
	roots     *x509.CertPool // of the transport
	kept      []*conn        // idle HTTP/1 connections, the last used last, and all HTTP/2 ones
	closed    bool
}

// A conn is a connection to an HMP, perhaps through a proxy. It embeds the TCP connection.
type conn struct {
	net.Conn
	client      *http.ClientConn
	shared      bool      // HTTP/2: several exchanges may use it at once
	kept        bool      // a later exchange may use it; the pool's lock guards this
	certificate time.Time // see certificateExpiry
	made        time.Time
	timer       *time.Timer // retires the connection; nil if it was never kept

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

// tooOld reports whether the connection is older than maxConnectionAge by the wall clock. The
// timer of the connection stops while a machine is suspended.
func (c *conn) tooOld() bool {
	return time.Now().Round(0).Sub(c.made.Round(0)) >= maxConnectionAge
}

// close closes the connection. After a timeout it does not send TLS's close_notify, because
// that write could block.
func (c *conn) close(timedOut bool) {
	if c.timer != nil {
		c.timer.Stop()
	}
	if timedOut {
		_ = c.Conn.Close()
	}
	_ = c.client.Close()
}

func newPool(o *Options) *pool {
	return &pool{options: o, address: address(o.URL), transport: newTransport(o, nil)}
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
	dial := o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
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
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			tcp, err := dial(ctx, network, cmp.Or(o.Address, address))
			if err != nil {
				return nil, err
			}
			c := &conn{Conn: tcp}
			c.users.Store(1)
			attemptOf(ctx).dialed = c
			return c, nil
		},
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
func (p *pool) currentTransport(ctx context.Context, proxy *url.URL) (*http.Transport, error) {
	var roots *x509.CertPool
	if p.options.RootCAs != nil && (p.options.URL.Scheme == "https" || proxy != nil && proxy.Scheme == "https") {
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
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return net.JoinHostPort(host, cmp.Or(u.Port(), port))
}

// take returns a kept connection for an exchange, or nil.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range slices.Backward(p.kept) {
		switch {
		case c.tooOld() || c.client.Err() != nil:
			p.retireLocked(c)
		case c.client.Reserve() == nil:
			if !c.shared {
				p.kept = slices.Delete(p.kept, i, i+1)
			}
			c.users.Add(1)
			c.idleRead.Store(0)
			return c
		}
	}
	return nil
}

// dial makes a connection for an attempt. If keep is true, later exchanges may use it.
func (p *pool) dial(ctx context.Context, t *attempt, keep bool) (*conn, error) {
	transport, err := p.currentTransport(ctx, t.proxy)
	if err != nil {
		return nil, err
	}
	client, err := transport.NewClientConn(ctx, p.options.URL.Scheme, p.address)
	if err != nil {
		return nil, err
	}
	c := t.dialed
	c.client, c.made, c.shared, c.certificate = client, time.Now(), t.http2, t.certificate
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.kept = keep; keep {
		c.timer = time.AfterFunc(maxConnectionAge, func() { p.retire(c) })
		if c.shared {
			p.kept = append(p.kept, c)
		}
	}
	return c, nil
}

// release ends the use of a connection by an exchange with a result.
func (p *pool) release(c *conn, result Result) {
	p.mu.Lock()
	if result != Valid || p.closed {
		p.forget(c)
	}
	unused := c.users.Add(-1) == 0
	switch {
	case !unused || !c.kept:
	case c.client.Available() == 0: // the server has closed it
		p.forget(c)
	case !c.shared:
		p.kept = append(p.kept, c)
	}
	ended := unused && !c.kept
	p.mu.Unlock()
	if ended {
		c.close(result == Timeout)
	}
}

// retire makes sure that no later exchange uses a connection. Exchanges under way go on.
func (p *pool) retire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retireLocked(c)
}

// retireLocked is retire with the lock held. Nobody waits for the connection to close, because
// a server can delay the write of TLS's close_notify by five seconds.
func (p *pool) retireLocked(c *conn) {
	if c.kept && c.users.Load() == 0 {
		go c.close(false)
	}
	p.forget(c)
}

// forget takes a connection out of the pool.
func (p *pool) forget(c *conn) {
	c.kept = false
	p.kept = slices.DeleteFunc(p.kept, func(other *conn) bool { return other == c })
}

// close retires all connections. The pool keeps no connection afterwards.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range slices.Clone(p.kept) {
		p.retireLocked(c)
	}
}
