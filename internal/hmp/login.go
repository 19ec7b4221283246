package hmp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A LoginRequest is for a new session, by an API key of HMP and its secret.
type LoginRequest struct {
	Key, Secret string
	// Header is sent along with the client's own.
	Header http.Header
	// OnResponse, unless nil, is called with the status as soon as there is one.
	OnResponse func(status int)
}

// Format keeps the key, the secret, and those that a header can hold, out of every text.
func (LoginRequest) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "hmp.LoginRequest") }

// Login opens a new session, until the deadline that ctx must have. The client
// cannot end that session, and refused logins can lock an account: so this is not
// for every probe, and it sends its request once at most.
//
// The second result is a secret: the authToken of a [Valid] answer, which is fit
// to be sent as a Bearer; "" for any other outcome.
//
// The call is that of the vendor page "Initiate User Session using Key and Secret".
func (c *Client) Login(ctx context.Context, r LoginRequest) (Answer, string) {
	a, token := c.exchange(ctx, c.loginRequest(r), r.OnResponse, func(resp *http.Response) (Answer, string) {
		return c.readLogin(ctx, resp)
	}, r.Key, r.Secret)
	a.Reason = mask(a.Reason, r.Key, r.Secret)
	return a, token
}

func (c *Client) loginRequest(r LoginRequest) *http.Request {
	// Texts are always fit for JSON.
	body, _ := json.Marshal(map[string]string{"apiKey": r.Key, "apiSecret": r.Secret})
	newBody := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }

	req := c.request(http.MethodPost, r.Header)
	delete(req.Header, "Authorization")
	// By these, net/http would take a login for one that may be sent twice.
	delete(req.Header, "Idempotency-Key")
	delete(req.Header, "X-Idempotency-Key")
	req.Header["Content-Type"] = []string{"application/json"}
	req.ContentLength = int64(len(body))
	req.Body, _ = newBody()
	if !c.options.HTTP2 {
		// With this, HTTP/1 tries another connection if nothing could be written to
		// a kept one. HTTP/2 would repeat what had been sent, too.
		req.GetBody = newBody
	}
	return req
}

const (
	errNoToken    formError = "the login's answer has no authToken"
	errUnfitToken formError = "the login's answer has an authToken that is not fit for a header"
)

// readLogin makes an answer of a response to the POST: the one that the GET would
// have got, but for what only a login can be told.
func (c *Client) readLogin(ctx context.Context, resp *http.Response) (Answer, string) {
	a, p := c.read(ctx, resp, "")
	a.Rotated = false // no token was sent
	switch {
	case a.Result == NoRoles:
	case a.StatusCode >= 400 && a.StatusCode < 500:
		// The status line says it, whatever becomes of the body.
		a.Result, a.Reason = LoginRejected, rejection(a.StatusCode, a.Code)
	case a.Result == BadPayload && (a.Code == InvalidCredentials || a.Code == InputValidation):
		a.Result, a.Reason = LoginRejected, ""
	case a.Result == Valid && p.token == "":
		a.Result, a.Reason, a.Details = BadPayload, errNoToken.Error(), Details{}
		if p.unfit {
			a.Reason = errUnfitToken.Error()
		}
	}
	return a, p.token
}

// rejections has the statuses that by themselves say more of a refused login than
// that it was.
var rejections = map[int]string{
	http.StatusNotFound:          "there may be no login at this URL: the HMP is older than version 4.1.1, or the base URL is wrong",
	http.StatusProxyAuthRequired: "a proxy wants to be authenticated to",
	http.StatusTooManyRequests:   "there were too many logins",
}

// rejection says what a person does not see from the code of a refused login.
func rejection(status int, code Code) string {
	if r, ok := rejections[status]; ok {
		return r
	}
	if c := code.Catalogued(); c == "" || c == OtherCode {
		return "something else than HMP may have answered"
	}
	return ""
}
