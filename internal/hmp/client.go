package hmp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// A Client asks one HMP about sessions, and for new ones. Many goroutines may use
// it at once.
type Client struct {
	options Options
	url     *url.URL // of both calls
	pool    *pool
	secrets []string // that a proxy is sent
}

// NewClient returns a client. [Client.Close] frees what it holds.
func NewClient(o Options) *Client {
	u := *o.URL
	u.Path += sessionPath
	if u.RawPath != "" {
		u.RawPath += sessionPath
	}
	return &Client{options: o, url: &u, pool: newPool(&o), secrets: slices.Concat(slices.Collect(maps.Values(o.ProxyConnectHeader))...)}
}

// Close closes the connections that are kept, and no more will be.
func (c *Client) Close() { c.pool.close() }

// A Request is for the session of a token.
type Request struct {
	Token secret.Value
	// Secrets are others of the session, such as its API key and secret. Like the token
	// and the values of Header, they are masked in what HMP says.
	Secrets []secret.Value
	// Header is sent along with the client's own.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as there is one.
	OnResponse func(status int)
}

// Format keeps the token, and the secrets that a header can hold, out of every text.
func (Request) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.Request") }

// Session asks the HMP about a session, until the deadline that ctx must have.
//
// The second result is the authToken of a [Valid] answer, if it differs from the one
// sent and is fit to be sent as a Bearer; else it is zero.
func (c *Client) Session(ctx context.Context, r Request) (Answer, secret.Value) {
	token := r.Token.Reveal()
	x := c.call(http.MethodGet, r.Header, append(reveal(r.Secrets...), token))
	x.header["Authorization"] = []string{"Bearer " + token}
	x.sent, x.onResponse = token, r.OnResponse
	return c.exchange(ctx, x)
}

// A LoginRequest is for a new session, by an API key of HMP and its secret.
type LoginRequest struct {
	Key, Secret secret.Value
	// Header is sent along with the client's own.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as there is one.
	OnResponse func(status int)
}

// Format keeps the key, the secret, and those that a header can hold, out of every text.
func (LoginRequest) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.LoginRequest") }

// Login opens a new session, until the deadline that ctx must have. The client
// cannot end that session, and refused logins can lock an account: so this is not
// for every probe, and HMP receives the request once at most.
//
// The second result is the authToken of a [Valid] answer, which is fit to be sent as
// a Bearer; it is zero for any other result.
//
// The call is that of the vendor page "Initiate User Session using Key and Secret".
func (c *Client) Login(ctx context.Context, r LoginRequest) (Answer, secret.Value) {
	x := c.call(http.MethodPost, r.Header, reveal(r.Key, r.Secret))
	delete(x.header, "Authorization")
	x.header["Content-Type"] = []string{"application/json"}
	// Texts are always fit for JSON.
	x.body, _ = json.Marshal(map[string]string{"apiKey": r.Key.Reveal(), "apiSecret": r.Secret.Reveal()})
	x.onResponse = r.OnResponse
	return c.exchange(ctx, x)
}

// A call is one request, which can be sent again if an attempt fails.
type call struct {
	method     string
	header     http.Header
	body       []byte
	sent       string   // the token, if there is one
	secrets    []string // of the session and the configuration
	onResponse func(status int)
}

// call returns what both calls have in common.
func (c *Client) call(method string, extra http.Header, secrets []string) *call {
	x := &call{method: method, header: make(http.Header, len(extra)+5), secrets: append(secrets, c.secrets...)}
	for name, values := range extra {
		x.header[name] = values
		x.secrets = append(x.secrets, values...)
	}
	x.header["Accept"] = []string{"application/json"}
	x.header["Accept-Encoding"] = []string{"identity"} // or a proxy may choose one
	x.header["User-Agent"] = []string{c.options.UserAgent}
	return x
}

func (x *call) request(ctx context.Context, u *url.URL) *http.Request {
	r := &http.Request{Method: x.method, URL: u, Host: u.Host, Header: x.header}
	if x.body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	}
	return r.WithContext(ctx)
}

// exchange sends a request and returns what becomes of it. A kept connection that turns
// out to be dead is no reason to fail: the request is then sent on a new one.
func (c *Client) exchange(ctx context.Context, x *call) (Answer, secret.Value) {
	proxy, err := c.proxy(x.request(ctx, c.url))
	if err != nil {
		a := Answer{Result: Connect, Reason: "the URL of the proxy is malformed"}
		a.Exchanges = []Exchange{newExchange(x, nil, &a, nil)}
		return a, secret.Value{}
	}
	if proxy != nil {
		if password, ok := proxy.User.Password(); ok {
			x.secrets = append(x.secrets, password, proxy.User.String())
		}
	}
	var a Answer
	var token string
	if kept := c.pool.take(); kept != nil {
		var again bool
		if a, token, again = c.attempt(ctx, x, proxy, kept); !again {
			return a, tokenValue(token)
		}
	}
	before := a.Phases
	a, token, _ = c.attempt(ctx, x, proxy, nil)
	a.Phases = before.Add(a.Phases)
	a.Exchanges[0].Took = a.Phases.Total()
	return a, tokenValue(token)
}

func (c *Client) proxy(req *http.Request) (*url.URL, error) {
	if c.options.Proxy == nil {
		return nil, nil
	}
	return c.options.Proxy(req)
}

// tokenValue returns the zero value for "".
func tokenValue(token string) secret.Value {
	if token == "" {
		return secret.Value{}
	}
	return secret.New(token)
}

// attempt sends a request on a kept connection, or on a new one if that is nil. again is
// true if it broke off so early that the request may be sent once more.
func (c *Client) attempt(ctx context.Context, x *call, proxy *url.URL, on *conn) (a Answer, token string, again bool) {
	t := &attempt{proxy: proxy}
	ctx = t.within(ctx)
	kept := on != nil
	var err error
	if !kept {
		on, err = c.pool.dial(ctx, t)
	}
	var resp *http.Response
	var found []string
	var written int64
	if err == nil {
		reusable, farewell := false, false
		defer func() { c.pool.release(on, reusable, farewell) }() // also if there is a panic
		t.use(on)
		written = on.written.Load()
		if resp, err = on.client.RoundTrip(x.request(ctx, c.url)); err == nil {
			a, token, found, err = c.read(ctx, x, proxy, resp)
		}
		reusable, farewell = a.Result == Valid, err == nil && a.Result != Timeout
	}
	at := t.end()
	m := newMask(append(x.secrets, found...)...)
	switch {
	case err == nil:
	case expired(ctx):
		a.Result = Timeout
	default:
		a.Result, a.Reason = at.failure(err), t.reason(&at, err, m.present)
		idempotent := x.method == http.MethodGet || on != nil && on.written.Load() == written
		again = kept && !at.reached(firstByte) && idempotent
	}
	a.Phases, a.CertificateExpiry = at.phases(), at.certificate
	a.Exchanges = []Exchange{newExchange(x, resp, &a, m)}
	return a, token, again
}

// errNoStatus is about a number that is not one of HTTP's, such as 000.
var errNoStatus = errors.New("the status is not one of HTTP")

// read makes an answer of a response. It closes the body even if something panics.
func (c *Client) read(ctx context.Context, x *call, proxy *url.URL, resp *http.Response) (a Answer, token string, found []string, err error) {
	defer resp.Body.Close()
	if resp.StatusCode < 100 {
		return a, "", nil, errNoStatus
	}
	if x.onResponse != nil {
		x.onResponse(resp.StatusCode)
	}
	r := &reader{options: &c.options, login: x.method == http.MethodPost, proxy: proxy != nil, sent: x.sent, secrets: x.secrets}
	a, p := r.read(ctx, resp)
	if slices.ContainsFunc(x.secrets, func(s string) bool { return a.Code != "" && strings.Contains(s, string(a.Code)) }) && a.Code.Catalogued() == OtherCode {
		a.Code, a.Reason = OtherCode, ""
	}
	return a, p.token, p.found, nil
}
