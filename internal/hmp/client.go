package hmp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hmp_exporter/internal/secret"
)

// sessionPath is where HMP serves the session of a Bearer (GET) and opens one for
// an API key (POST), since version 4.1.1.
const sessionPath = "/apis/authentication/login/key"

// Options say how to reach one HMP.
type Options struct {
	URL *url.URL    // scheme, host and perhaps a path, without a slash at its end
	TLS *tls.Config // for https; nil for Go's defaults
	// RootCAs returns the trusted certificates for a new connection. If it is nil, TLS has
	// them. CA names them in errors, such as "the CA in hmp.pem".
	RootCAs func(context.Context) (*x509.CertPool, error)
	CA      string
	Address string // host and port to connect to; "" for those of URL

	Proxy              func(*http.Request) (*url.URL, error) // nil for none
	ProxyConnectHeader http.Header                           // goes to a proxy along with a CONNECT

	KeepAlive    bool   // reuse connections, for five minutes at most and not after a failure
	HTTP2        bool   // allow HTTP/2
	MaxBodySize  int64  // maximum size of a session's body, in bytes
	MessageTexts bool   // keep the texts of service messages, not only their number
	UserAgent    string // name/version of this program
	// Dial makes a TCP connection. If it is nil, [net.Dialer] does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Client calls one HMP: it checks sessions, opens sessions, and asks for the version. It is
// safe for concurrent use.
type Client struct {
	options     Options
	url         *url.URL // of the session endpoint
	pool        *pool
	userAgent   []string
	redactedGET RedactedHeader // of a GET without configured headers, shared to save memory
	secrets     []string       // in the header for a proxy
}

// NewClient returns a client. Call [Client.Close] when it is no longer used.
func NewClient(o Options) *Client {
	c := &Client{
		options: o, url: endpoint(o.URL, sessionPath), pool: newPool(&o), userAgent: []string{o.UserAgent},
		secrets: slices.Concat(slices.Collect(maps.Values(o.ProxyConnectHeader))...),
	}
	call := c.newCall(http.MethodGet, nil)
	call.header["Authorization"] = nil
	c.redactedGET = redactRequest(call.method, call.header)
	return c
}

// endpoint returns the URL of a path below a base URL.
func endpoint(base *url.URL, path string) *url.URL {
	u := *base
	u.Path += path
	if u.RawPath != "" {
		u.RawPath += path
	}
	return &u
}

// Close closes the idle connections. The client reuses no connection afterwards.
func (c *Client) Close() { c.pool.close() }

// A SessionRequest is a request with the token of a session.
type SessionRequest struct {
	Token secret.Value
	// Secrets are other secrets of the session, such as its API key. The client masks them
	// in the texts of HMP, like the token and the values of Header.
	Secrets []secret.Value
	// Header is sent in addition to the client's own header.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as it has arrived.
	OnResponse func(status int)
}

// Format implements [fmt.Formatter] and prints no secret.
func (SessionRequest) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.SessionRequest") }

// GetSession asks the HMP about a session. ctx must have a deadline.
//
// The token is the authToken of a [Valid] answer, if it differs from the one sent and is
// valid in a header. Otherwise it is zero.
func (c *Client) GetSession(ctx context.Context, r SessionRequest) (a Answer, token secret.Value) {
	call := c.newCall(http.MethodGet, r.Header, r.Secrets...)
	call.onResponse = r.OnResponse
	call.authorize(r.Token)
	token = c.do(ctx, call, &a)
	return a, token
}

// A LoginRequest is a login with an API key and its secret.
type LoginRequest struct {
	Key, Secret secret.Value
	// Header is sent in addition to the client's own header.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as it has arrived.
	OnResponse func(status int)
}

// Format implements [fmt.Formatter] and prints no secret.
func (LoginRequest) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.LoginRequest") }

// Login opens a new session. ctx must have a deadline. The client cannot end the session,
// and refused logins can lock an account. So call it rarely. HMP receives the request once
// at most.
//
// The token is the authToken of a [Valid] answer, and valid in a header. It is zero for any
// other result.
//
// The vendor page "Initiate User Session using Key and Secret" describes the call.
func (c *Client) Login(ctx context.Context, r LoginRequest) (a Answer, token secret.Value) {
	call := c.newCall(http.MethodPost, r.Header, r.Key, r.Secret)
	call.onResponse = r.OnResponse
	delete(call.header, "Authorization")
	call.header["Content-Type"] = applicationJSON
	// Marshal does not fail for a map of strings.
	call.body, _ = json.Marshal(map[string]string{"apiKey": r.Key.Reveal(), "apiSecret": r.Secret.Reveal()})
	token = c.do(ctx, call, &a)
	return a, token
}

// A call is what one of [Client.GetSession], [Client.Login] and [Client.Version] sends, and what
// it needs to read the response. The client sends it in one [attempt], or in two.
type call struct {
	options    *Options
	method     string
	url        *url.URL
	proxy      *url.URL // nil for none
	header     http.Header
	body       []byte
	token      string   // that is sent; "" for a login
	secrets    []string // to mask in the answer; those in the body of the response are added
	configured bool     // the header has more than the client's own fields
	reuse      bool     // whether to use an idle connection, and to keep this one for later calls
	onResponse func(status int)
	version    *Version // the destination of a version call, else nil
}

var (
	applicationJSON = []string{"application/json"}
	identity        = []string{"identity"} // otherwise a proxy may choose an encoding
)

// newCall returns a call with what all calls have in common.
func (c *Client) newCall(method string, extra http.Header, values ...secret.Value) *call {
	call := &call{
		options: &c.options, method: method, url: c.url,
		configured: len(extra) > 0, reuse: c.options.KeepAlive, header: make(http.Header, len(extra)+5),
	}
	call.secrets = append(make([]string, 0, len(c.secrets)+len(values)+len(extra)+2), c.secrets...)
	for _, v := range values {
		call.secrets = append(call.secrets, v.Reveal())
	}
	for name, values := range extra {
		call.header[name] = values
		call.secrets = append(call.secrets, values...)
	}
	call.header["Accept"], call.header["Accept-Encoding"], call.header["User-Agent"] = applicationJSON, identity, c.userAgent
	return call
}

// authorize adds a token to the call.
func (c *call) authorize(t secret.Value) {
	c.token = t.Reveal()
	c.secrets = append(c.secrets, c.token)
	c.header["Authorization"] = []string{"Bearer " + c.token}
}

// setProxy sets the proxy. If its URL has a user without a password, the user is a token.
func (c *call) setProxy(proxy *url.URL) {
	c.proxy = proxy
	if proxy == nil || proxy.User == nil {
		return
	}
	password, ok := proxy.User.Password()
	if !ok {
		password = proxy.User.Username()
	}
	c.secrets = append(c.secrets, password, proxy.User.String())
}

func (c *call) isLogin() bool { return c.method == http.MethodPost }

// request returns the request of one attempt.
func (c *call) request(ctx context.Context) *http.Request {
	r := &http.Request{Method: c.method, URL: c.url, Host: c.url.Host, Header: c.header}
	if c.body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
	}
	return r.WithContext(ctx)
}

// do makes a call and sets the answer. If an idle connection turns out to be dead, it makes a
// second attempt on a new one.
//
// Answers are passed by pointer, because each probe begins with a small stack.
func (c *Client) do(ctx context.Context, call *call, a *Answer) (token secret.Value) {
	if c.options.Proxy != nil {
		proxy, err := c.options.Proxy(call.request(ctx))
		if err != nil {
			a.Result, a.Reason = Connect, "the URL of the proxy is malformed"
			c.recordExchange(a, call, nil)
			return token
		}
		call.setProxy(proxy)
	}
	var idle *conn
	if call.reuse {
		idle = c.pool.take()
	}
	token, retry := c.try(ctx, call, idle, a)
	if retry {
		first := a.Phases
		*a = Answer{}
		token, _ = c.try(ctx, call, nil, a)
		a.Phases = first.Add(a.Phases)
		a.Exchanges[0].Took = a.Phases.Total()
	}
	return token
}

// try makes one attempt on an idle connection, or on a new one if idle is nil. retry is true if
// the idle connection was dead, so that the request may be sent again. A login may be sent again
// only if nothing of it was written.
func (c *Client) try(ctx context.Context, call *call, idle *conn, a *Answer) (token secret.Value, retry bool) {
	attempt := &attempt{proxy: call.proxy, ca: c.options.CA}
	ctx = attempt.withHooks(ctx, idle != nil)
	defer attempt.closeAfterDeadline(ctx, idle)()
	connection := idle
	var err error
	if idle == nil {
		connection, err = c.pool.dial(ctx, attempt, call.reuse)
	}
	var resp *http.Response
	var written int64
	if err == nil {
		defer func() { c.pool.release(connection, a.Result) }() // also after a panic
		attempt.connected(connection)
		written = connection.written.Load()
		if resp, err = connection.client.RoundTrip(call.request(ctx)); err == nil {
			// It sets the result, by status and body. An error means that there was no HTTP status.
			token, err = call.readResponse(ctx, resp, a)
		}
	}
	attempt.end()
	switch {
	case err == nil:
	case expired(ctx):
		a.Result, a.Reason = Timeout, attempt.timeoutReason()
	default:
		a.Result, a.Reason = attempt.result(err), attempt.reason(err, newMask(call.secrets...))
		retry = idle != nil && !attempt.reached(firstByte) && (!call.isLogin() || idle.written.Load() == written)
	}
	a.Phases, a.CertificateExpiry = attempt.phases(), attempt.certificate
	c.recordExchange(a, call, resp)
	return token, retry
}

// expired reports whether the deadline of a call is over. The dialer can end an instant
// before the context does.
func expired(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return ctx.Err() != nil || !time.Now().Before(deadline)
}

// recordExchange adds the request and the response to the answer. The response may be nil.
func (c *Client) recordExchange(a *Answer, call *call, resp *http.Response) {
	m := newMask(call.secrets...)
	if a.Code.Catalogued() == OtherCode && m.apply(string(a.Code), true) == secret.Masked {
		a.Code, a.Reason = OtherCode, "" // the code is a secret of six digits
	}
	e := Exchange{Method: call.method, Result: a.Result, StatusCode: a.StatusCode, Took: a.Phases.Total(), Request: c.redactedGET}
	if call.isLogin() || call.configured {
		e.Request = redactRequest(call.method, call.header)
	}
	if resp != nil {
		e.Proto = strings.Clone(resp.Proto) // otherwise the whole status line would stay in memory
		e.Response = redactResponse(resp.Header, m)
	}
	a.Exchanges = []Exchange{e}
}
