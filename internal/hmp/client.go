package hmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// sessionPath is where HMP serves the session of a Bearer (GET) and opens one for
// an API key (POST), since version 4.1.1.
const sessionPath = "/apis/authentication/login/key"

// A Client asks one HMP about sessions, and for new ones. Many goroutines may use
// it at once.
type Client struct {
	options    Options
	url        *url.URL // of both calls
	transports transports
}

// NewClient returns a client. [Client.Close] frees what it holds.
func NewClient(o Options) *Client {
	u := *o.URL
	u.Path += sessionPath
	if u.RawPath != "" {
		u.RawPath += sessionPath
	}
	return &Client{options: o, url: &u, transports: transports{options: o}}
}

// Close closes the connections that are kept, and no more will be.
func (c *Client) Close() { c.transports.close() }

// A Request is for the session of a token.
type Request struct {
	Token string
	// Header is sent along with the client's own.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as there is one.
	OnResponse func(status int)
}

// Format keeps the token, and the secrets that a header can hold, out of every text.
func (Request) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.Request") }

// Session asks the HMP about a session, until the deadline that ctx must have.
//
// The second result is a secret: the authToken of a [Valid] answer, if it is
// another one than was sent and fit to be sent as a Bearer; else "".
func (c *Client) Session(ctx context.Context, r Request) (Answer, string) {
	req := c.request(http.MethodGet, r.Header)
	req.Header["Authorization"] = []string{"Bearer " + r.Token}
	a, next := c.exchange(ctx, req, r.OnResponse, func(resp *http.Response) (Answer, string) {
		a, p := c.read(ctx, resp, r.Token)
		return a, p.token
	}, r.Token)
	a.Reason = mask(a.Reason, r.Token)
	return a, next
}

// minMasked is how long a secret is at least, for a text in which it stands to have
// it from this side.
const minMasked = 8

// mask replaces secrets in a text that the far side had a say in.
func mask(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= minMasked {
			text = strings.ReplaceAll(text, s, "<secret>")
		}
	}
	return text
}

// request returns what the requests of both calls have in common.
func (c *Client) request(method string, extra http.Header) *http.Request {
	h := make(http.Header, len(extra)+3)
	maps.Copy(h, extra)
	h["Accept"] = []string{"application/json"}
	h["User-Agent"] = []string{c.options.UserAgent}
	return &http.Request{Method: method, URL: c.url, Host: c.url.Host, Header: h}
}

// exchange sends a request and returns what read makes of the response to it or,
// if there is none, what became of it. The secrets are those that the request has, to
// be kept out of what is told of the response.
func (c *Client) exchange(ctx context.Context, req *http.Request, onResponse func(status int), read func(*http.Response) (Answer, string), secrets ...string) (a Answer, token string) {
	var trace trace
	req = req.WithContext(httptrace.WithClientTrace(trace.effort.within(ctx), trace.hooks()))
	transport := c.transports.acquire()
	defer c.transports.release(transport)
	resp, err := transport.RoundTrip(req)
	if err == nil && resp.StatusCode < 100 {
		_ = resp.Body.Close()
		err = errNoStatus
	}
	if err == nil {
		a, token = readAndClose(resp, func(resp *http.Response) (Answer, string) {
			if onResponse != nil {
				onResponse(resp.StatusCode)
			}
			return read(resp)
		})
	}
	t := trace.end()
	switch {
	case err == nil:
	case expired(ctx):
		a.Result = Timeout
	default:
		a.Result = t.failure(err)
		a.Reason = reason(a.Result, err)
	}
	a.Phases, a.CertificateExpiry = t.phases(), t.expiry()
	a.Exchanges = []Exchange{newExchange(req, resp, &a, append(secrets, token))}
	if a.Result != Valid {
		c.transports.abandon(transport, t.conn)
	}
	return a, token
}

// errNoStatus is about a number that is not one of HTTP's, such as 000.
var errNoStatus = errors.New("the status is not one of HTTP")

// readAndClose closes the body even if read panics: all that is wanted of it has
// been read by then.
func readAndClose(resp *http.Response, read func(*http.Response) (Answer, string)) (Answer, string) {
	defer resp.Body.Close()
	return read(resp)
}
