package hmp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hmp_exporter/internal/secret"
)

// sessionPath is where HMP serves the session of a Bearer (GET) and opens one for
// an API key (POST), since version 4.1.1.
const sessionPath = "/apis/authentication/login/key"

// A Client calls one HMP: it checks sessions, opens sessions, and asks for the version. It is
// safe for concurrent use.
type Client struct {
	options   Options
	url       *url.URL // of the session endpoint
	pool      *pool
	userAgent []string
	get       Header   // of a GET without configured headers
	secrets   []string // in the header for a proxy
}

// NewClient returns a client. Call [Client.Close] when it is no longer used.
func NewClient(o Options) *Client {
	c := &Client{
		options: o, url: endpoint(o.URL, sessionPath), pool: newPool(&o), userAgent: []string{o.UserAgent},
		secrets: slices.Concat(slices.Collect(maps.Values(o.ProxyConnectHeader))...),
	}
	x := c.call(http.MethodGet, nil)
	x.header["Authorization"] = nil
	c.get = sentHeader(x.method, x.header)
	return c
}

// Close closes the idle connections. The client keeps no connection afterwards.
func (c *Client) Close() { c.pool.close() }

// A Request is a request with a token.
type Request struct {
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
func (Request) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.Request") }

// Session asks the HMP about a session. ctx must have a deadline.
//
// The token is the authToken of a [Valid] answer, if it differs from the one sent and is
// valid in a header. Otherwise it is zero.
func (c *Client) Session(ctx context.Context, r Request) (a Answer, token secret.Value) {
	x := c.call(http.MethodGet, r.Header, r.Secrets...)
	x.onResponse = r.OnResponse
	x.authorize(r.Token)
	token = c.exchange(ctx, x, &a)
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
	x := c.call(http.MethodPost, r.Header, r.Key, r.Secret)
	x.onResponse = r.OnResponse
	delete(x.header, "Authorization")
	x.header["Content-Type"] = applicationJSON
	// Marshal does not fail for a map of strings.
	x.body, _ = json.Marshal(map[string]string{"apiKey": r.Key.Reveal(), "apiSecret": r.Secret.Reveal()})
	token = c.exchange(ctx, x, &a)
	return a, token
}

// A call is one request. It can be sent again if an attempt fails.
type call struct {
	options    *Options
	method     string
	url        *url.URL
	proxy      *url.URL // nil for none
	header     http.Header
	body       []byte
	sent       string   // the token, if there is one
	secrets    []string // to mask in the answer
	keep       bool     // whether to use and keep connections
	onResponse func(status int)
	version    *Version // the destination of a version call, else nil
}

var (
	applicationJSON = []string{"application/json"}
	identity        = []string{"identity"} // otherwise a proxy may choose an encoding
)

// call returns a call with what all calls have in common.
func (c *Client) call(method string, extra http.Header, values ...secret.Value) *call {
	x := &call{options: &c.options, method: method, url: c.url, keep: c.options.KeepAlive, header: make(http.Header, len(extra)+5)}
	x.secrets = append(make([]string, 0, len(c.secrets)+len(values)+len(extra)+2), c.secrets...)
	for _, v := range values {
		x.secrets = append(x.secrets, v.Reveal())
	}
	for name, values := range extra {
		x.header[name] = values
		x.secrets = append(x.secrets, values...)
	}
	x.header["Accept"], x.header["Accept-Encoding"], x.header["User-Agent"] = applicationJSON, identity, c.userAgent
	return x
}

// authorize adds a token to the call.
func (x *call) authorize(t secret.Value) {
	x.sent = t.Reveal()
	x.secrets = append(x.secrets, x.sent)
	x.header["Authorization"] = []string{"Bearer " + x.sent}
}

func (x *call) login() bool { return x.method == http.MethodPost }

func (x *call) request(ctx context.Context) *http.Request {
	r := &http.Request{Method: x.method, URL: x.url, Host: x.url.Host, Header: x.header}
	if x.body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	}
	return r.WithContext(ctx)
}

// exchange sends a request and sets the answer. If an idle connection turns out to be dead,
// it sends the request again on a new one.
//
// Answers are passed by pointer, because each probe begins with a small stack.
func (c *Client) exchange(ctx context.Context, x *call, a *Answer) (token secret.Value) {
	if c.options.Proxy != nil {
		var err error
		if x.proxy, err = c.options.Proxy(x.request(ctx)); err != nil {
			a.Result, a.Reason = Connect, "the URL of the proxy is malformed"
			c.recordExchange(a, x, nil, nil)
			return token
		}
	}
	if x.proxy != nil && x.proxy.User != nil {
		password, ok := x.proxy.User.Password()
		if !ok {
			password = x.proxy.User.Username() // which is a token then
		}
		x.secrets = append(x.secrets, password, x.proxy.User.String())
	}
	var kept *conn
	if x.keep {
		kept = c.pool.take()
	}
	token, again := c.attempt(ctx, x, kept, a)
	if again {
		before := a.Phases
		*a = Answer{}
		token, _ = c.attempt(ctx, x, nil, a)
		a.Phases = before.Add(a.Phases)
		a.Exchanges[0].Took = a.Phases.Total()
	}
	return token
}

// attempt sends a request on an idle connection, or on a new one if on is nil. again is true
// if the attempt failed so early that the request may be sent once more.
func (c *Client) attempt(ctx context.Context, x *call, on *conn, a *Answer) (token secret.Value, again bool) {
	t := &attempt{proxy: x.proxy, ca: x.options.CA}
	kept := on != nil
	ctx = t.withHooks(ctx, kept)
	var err error
	if !kept {
		on, err = c.pool.dial(ctx, t, x.keep)
	}
	var resp *http.Response
	m := &mask{secrets: x.secrets}
	var written int64
	if err == nil {
		defer func() { c.pool.release(on, a.Result) }() // also after a panic
		t.connected(on)
		written = on.written.Load()
		if resp, err = on.client.RoundTrip(x.request(ctx)); err == nil {
			token, err = x.read(ctx, resp, a, m)
		}
	}
	t.end()
	switch {
	case err == nil:
	case expired(ctx):
		a.Result, a.Reason = Timeout, t.timeoutReason()
	default:
		a.Result, a.Reason = t.failure(err), t.reason(err, m)
		idempotent := !x.login() || on != nil && on.written.Load() == written
		again = kept && !t.reached(firstByte) && idempotent
	}
	a.Phases, a.CertificateExpiry = t.phases(), t.certificate
	c.recordExchange(a, x, resp, m)
	return token, again
}

// recordExchange adds the exchange to its answer. The response may be nil.
func (c *Client) recordExchange(a *Answer, x *call, resp *http.Response, m *mask) {
	if a.Code.Catalogued() == OtherCode && m.apply(string(a.Code), true) == secret.Masked {
		a.Code, a.Reason = OtherCode, "" // the code is a secret of six digits
	}
	e := Exchange{Method: x.method, Result: a.Result, StatusCode: a.StatusCode, Took: a.Phases.Total(), Request: c.get}
	if x.login() || len(x.header) > 4 {
		e.Request = sentHeader(x.method, x.header)
	}
	if resp != nil {
		e.Proto = strings.Clone(resp.Proto) // otherwise the whole status line would stay in memory
		e.Response = receivedHeader(resp.Header, m)
	}
	a.Exchanges = []Exchange{e}
}
