package hmp

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptrace"
	"time"
)

// sessionPath is where HMP serves the session of a Bearer (GET) and opens one for
// an API key (POST), since version 4.1.1.
const sessionPath = "/apis/authentication/login/key"

// maxEnvelope bounds the body of an answer other than a 200, in bytes.
const maxEnvelope = 64 << 10

// A Client asks one HMP about sessions. Many goroutines may use it at once.
type Client struct {
	options    Options
	get        *http.Request // but for its context and header
	transports transports
}

// NewClient returns a client. [Client.Close] frees what it holds.
func NewClient(o Options) *Client {
	u := *o.URL
	u.Path += sessionPath
	if u.RawPath != "" {
		u.RawPath += sessionPath
	}
	return &Client{
		options:    o,
		get:        &http.Request{Method: http.MethodGet, URL: &u, Host: u.Host},
		transports: transports{options: o},
	}
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

// Session asks the HMP about a session, until the deadline that ctx must have.
func (c *Client) Session(ctx context.Context, r Request) Answer {
	var trace trace
	req := c.get.WithContext(httptrace.WithClientTrace(withDialDeadline(ctx), trace.hooks()))
	req.Header = c.header(r)

	var a Answer
	resp, err := c.transports.current().RoundTrip(req)
	if err == nil {
		if r.OnResponse != nil {
			r.OnResponse(resp.StatusCode)
		}
		a = c.read(ctx, resp, r.Token)
		_ = resp.Body.Close() // all that is wanted of it has been read
	}
	t := trace.end()
	switch {
	case err == nil:
	case expired(ctx):
		a.Outcome = Timeout
	default:
		a.Outcome = t.failure(err)
		a.Reason = reason(a.Outcome, err)
	}
	a.Phases, a.CertificateExpiry = t.phases(), t.expiry()
	if a.Outcome != Valid {
		c.transports.abandon(t.conn)
	}
	return a
}

func (c *Client) header(r Request) http.Header {
	h := make(http.Header, len(r.Header)+3)
	maps.Copy(h, r.Header)
	h["Authorization"] = []string{"Bearer " + r.Token}
	h["Accept"] = []string{"application/json"}
	h["User-Agent"] = []string{c.options.UserAgent}
	return h
}

// read makes an answer of a response.
func (c *Client) read(ctx context.Context, resp *http.Response, token string) Answer {
	a := Answer{Responded: true, StatusCode: resp.StatusCode}
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
		c.readSession(ctx, resp, token, &a)
	case status >= 400:
		readRefusal(ctx, resp, &a)
	case status >= 300:
		a.Outcome = Redirect
	default:
		a.Outcome = HTTPError
	}
	return a
}

func (c *Client) readSession(ctx context.Context, resp *http.Response, token string, a *Answer) {
	p, err := c.session(resp, token)
	switch {
	case err == nil:
		a.Outcome, a.Details, a.Rotated = Valid, p.details, p.rotated
	case expired(ctx):
		a.Outcome = Timeout
	default:
		a.Outcome, a.Reason, a.Code = BadPayload, bodyReason(err), code(p.code)
	}
}

func readRefusal(ctx context.Context, resp *http.Response, a *Answer) {
	p, err := decode(resp.Body, maxEnvelope, "", false)
	a.Code = code(p.code)
	refusal, bodyTells := refusals[resp.StatusCode]
	switch {
	case !bodyTells:
		a.Outcome = HTTPError
	case err != nil && expired(ctx):
		a.Outcome = Timeout
	default:
		a.Outcome = refusal(a.Code, p.message)
	}
}

// session decodes the body of a 200.
func (c *Client) session(resp *http.Response, token string) (payload, error) {
	if resp.ContentLength > c.options.MaxBodySize {
		return payload{}, errTooLarge
	}
	p, err := decode(resp.Body, c.options.MaxBodySize, token, c.options.MessageTexts)
	if err == nil && !p.hasData {
		err = errNoData
	}
	return p, err
}

// refusals has the statuses whose envelope has a say in the outcome, and what it
// says. Any other status from 400 up is an [HTTPError] whatever its body is.
var refusals = map[int]func(code Code, message string) Outcome{
	http.StatusUnauthorized: func(code Code, message string) Outcome {
		if code == UserNotAuthorized && message == noRolesMessage {
			return NoRoles
		}
		return Unauthorized
	},
	http.StatusNotFound: func(code Code, _ string) Outcome {
		if code == AuthSessionNotFound {
			return Unauthorized
		}
		return EndpointMissing
	},
	http.StatusInternalServerError: func(code Code, _ string) Outcome {
		if code.internal() {
			return InternalError
		}
		return HTTPError
	},
	http.StatusServiceUnavailable: func(code Code, _ string) Outcome {
		if code == ServiceUnavailable {
			return AuthUnavailable
		}
		return HTTPError
	},
}

// expired tells whether the time of an exchange is over. The deadline of a
// connection can strike an instant before that of the context.
func expired(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return ctx.Err() != nil || !time.Now().Before(deadline)
}
