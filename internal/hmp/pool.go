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
	"time"

	"golang.org/x/net/idna"
)

const (
	// maxUnread bounds the bytes of a body that HTTP/2 buffers before a read. The kernel
	// buffers about as much for HTTP/1.
	maxUnread = 64 << 10
	// maxHeaderSize bounds the header of a response, in bytes.
	maxHeaderSize = 64 << 10
)

// A pool makes connections to one HMP, and reuses them if KeepAlive is set.
//
// A failed request never breaks another request. After a failure, the pool gives the
// connection to no later request. It closes the connection when the last request on it has
// ended. The pool of [http.Transport] cannot do this. It reuses a connection once the body has
// been read, before the client knows the result.
type pool struct {
	options *Options
	address string

	mu        sync.Mutex
	transport *http.Transport
	roots     *x509.CertPool // of the transport
	reusable  []*conn        // idle HTTP/1 connections, the last used last, and all HTTP/2 ones
	closed    bool
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
			attemptOf(ctx).setDialed(c)
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
	if p.options.HTTP2 && proxy != nil && proxy.Scheme == "https" { // net/http would offer HTTP/2 to the proxy too
		withoutHTTP2 := *p.options
		withoutHTTP2.HTTP2 = false
		return newTransport(&withoutHTTP2, roots), nil
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
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(host, cmp.Or(u.Port(), port))
}

// take returns a connection to reuse, or nil.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range slices.Backward(p.reusable) {
		switch {
		case c.tooOld() || c.client.Err() != nil:
			p.retire(c)
		case c.client.Reserve() == nil:
			if !c.shared {
				p.reusable = slices.Delete(p.reusable, i, i+1)
			}
			c.users.Add(1)
			c.idleRead.Store(0)
			return c
		}
	}
	return nil
}

// dial makes a connection for an attempt. If reusable is true, later requests may use it.
func (p *pool) dial(ctx context.Context, a *attempt, reusable bool) (*conn, error) {
	transport, err := p.currentTransport(ctx, a.proxy)
	if err != nil {
		return nil, err
	}
	client, err := transport.NewClientConn(ctx, p.options.URL.Scheme, p.address)
	if err != nil {
		return nil, err
	}
	c := a.dialed
	c.client, c.made, c.shared, c.certificate = client, time.Now(), a.http2, a.certificate
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.reusable = reusable && !p.closed; c.reusable {
		c.timer = time.AfterFunc(maxConnectionAge, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.retire(c)
		})
		if c.shared {
			p.reusable = append(p.reusable, c)
		}
	}
	return c, nil
}

// release ends the use of a connection by a request with a result.
func (p *pool) release(c *conn, result Result) {
	p.mu.Lock()
	if result != Valid || p.closed {
		p.forget(c)
	}
	unused := c.users.Add(-1) == 0
	switch {
	case !unused || !c.reusable:
	case c.client.Available() == 0: // the server has closed it
		p.forget(c)
	case !c.shared:
		p.reusable = append(p.reusable, c)
	}
	ended := unused && !c.reusable
	p.mu.Unlock()
	if ended {
		c.discard(result == Timeout)
	}
}

// retire makes sure that no later request uses a connection. Requests under way go on. The
// caller holds the lock. Nobody waits for the connection to close, because a server can delay
// that, see maxCloseNotify.
func (p *pool) retire(c *conn) {
	if c.reusable && c.users.Load() == 0 {
		go c.discard(false)
	}
	p.forget(c)
}

// forget takes a connection out of the pool.
func (p *pool) forget(c *conn) {
	c.reusable = false
	p.reusable = slices.DeleteFunc(p.reusable, func(other *conn) bool { return other == c })
}

// close retires all connections. The pool reuses no connection afterwards.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range slices.Clone(p.reusable) {
		p.retire(c)
	}
}
