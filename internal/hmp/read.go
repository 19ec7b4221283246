package hmp

import (
	"context"
	"net/http"
	"time"
)

// maxEnvelope bounds the body of an answer other than a 200, in bytes.
const maxEnvelope = 64 << 10

// read makes an answer of a response, as of one to the GET. It also returns what
// the body told if the answer is Valid.
func (c *Client) read(ctx context.Context, resp *http.Response, sent string) (a Answer, p payload) {
	a = Answer{Responded: true, StatusCode: resp.StatusCode}
	if resp.StatusCode >= 300 {
		a.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
		p = c.readSession(ctx, resp, sent, &a)
	case status >= 400:
		readRefusal(ctx, resp, &a)
	case status >= 300:
		a.Result = Redirect
	default:
		a.Result = HTTPError
	}
	return a, p
}

func (c *Client) readSession(ctx context.Context, resp *http.Response, sent string, a *Answer) payload {
	p, err := c.session(resp, sent)
	a.Body = p.body
	switch {
	case err == nil:
		a.Result, a.Details, a.Rotated = Valid, p.details, p.rotated
		return p
	case expired(ctx):
		a.Result = Timeout
	default:
		a.Result, a.Reason, a.Code = BadPayload, bodyReason(err), code(p.code)
	}
	return payload{}
}

func readRefusal(ctx context.Context, resp *http.Response, a *Answer) {
	p, err := decode(resp.Body, maxEnvelope, "", false)
	if err != nil && expired(ctx) {
		p = payload{body: p.body}
	}
	a.Code, a.Body = code(p.code), p.body
	refusal, bodyTells := refusals[resp.StatusCode]
	switch {
	case !bodyTells:
		a.Result = HTTPError
	case err != nil && expired(ctx):
		a.Result = Timeout
	default:
		a.Result = refusal(a.Code, p.message)
	}
}

// session decodes the body of a 200.
func (c *Client) session(resp *http.Response, sent string) (payload, error) {
	if resp.ContentLength > c.options.MaxBodySize {
		return payload{}, errTooLarge
	}
	p, err := decode(resp.Body, c.options.MaxBodySize, sent, c.options.MessageTexts)
	if err != nil {
		return payload{}, err
	}
	if !p.hasData {
		err = errNoData
	}
	return p, err
}

// refusals has the statuses whose envelope has a say in the outcome, and what it
// says. Any other status from 400 up is an [HTTPError] whatever its body is.
var refusals = map[int]func(code Code, message string) Result{
	http.StatusUnauthorized: func(code Code, message string) Result {
		if code == UserNotAuthorized && message == noRolesMessage {
			return NoRoles
		}
		return Unauthorized
	},
	http.StatusNotFound: func(code Code, _ string) Result {
		if code == AuthSessionNotFound {
			return Unauthorized
		}
		return EndpointMissing
	},
	http.StatusInternalServerError: func(code Code, _ string) Result {
		if code.internal() {
			return InternalError
		}
		return HTTPError
	},
	http.StatusServiceUnavailable: func(code Code, _ string) Result {
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
