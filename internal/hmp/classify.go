package hmp

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hmp_exporter/internal/secret"
)

const (
	// maxEnvelope bounds the body of an error, in bytes.
	maxEnvelope = 64 << 10
	// maxRetryAfter bounds [Answer.RetryAfter]. The caller may wait less.
	maxRetryAfter = 24 * time.Hour
)

const (
	errNoToken      bodyError = "the login's answer has no authToken"
	errInvalidToken bodyError = "the login's answer has an authToken that is not fit for a header"
)

// errNoStatus means that the status is no HTTP status, such as 000.
var errNoStatus = errors.New("the status is not one of HTTP")

// readResponse sets the answer from a response, by the table of results in docs/metrics.md. It
// returns the token of a Valid answer. It adds the secrets in the body to those of the call,
// and closes the body.
func (c *call) readResponse(ctx context.Context, resp *http.Response, a *Answer) (token secret.Value, err error) {
	defer resp.Body.Close()
	if resp.StatusCode < 100 {
		return token, errNoStatus
	}
	if c.onResponse != nil {
		c.onResponse(resp.StatusCode)
	}
	a.Responded, a.StatusCode = true, resp.StatusCode
	if resp.StatusCode >= 300 {
		a.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		a.Result = Redirect
	case c.version != nil:
		c.readVersion(ctx, resp, a)
	case status == http.StatusOK, c.isLogin() && status > 200 && status < 300:
		token = c.readSession(ctx, resp, a)
	case status >= 400:
		c.readError(ctx, resp, a)
	default:
		a.Result = HTTPError
	}
	return token, nil
}

// readSession reads the body of a success.
func (c *call) readSession(ctx context.Context, resp *http.Response, a *Answer) (token secret.Value) {
	p := new(payload)
	var err error = errTooLarge
	if resp.ContentLength <= c.options.MaxBodySize {
		p, err = decode(resp.Body, c.options.MaxBodySize, c.token, c.options.MessageTexts, c.secrets...)
	}
	c.secrets = append(c.secrets, p.secrets...)
	timedOut := err != nil && expired(ctx)
	if a.BodySize = p.size; err == nil {
		a.InvalidFields = p.invalid
		err = c.missingField(p)
	}
	switch {
	case err == nil:
		a.Result, a.Details, a.Rotated = Valid, p.details, p.rotated && !c.isLogin()
		if p.token != "" { // a new one; "" if it is the one that was sent
			token = secret.New(p.token)
		}
	case timedOut:
		a.Result = Timeout
	case resp.StatusCode != http.StatusOK:
		a.Result = HTTPError
	default:
		a.Result, a.Reason = BadPayload, bodyReason(err, resp.Header.Get("Content-Encoding"))
		if errors.Is(err, errNoData) {
			a.Code = parseCode(p.code)
		}
		if c.isLogin() && (a.Code == InvalidCredentials || a.Code == InputValidation) {
			a.Result, a.Reason = LoginRejected, ""
		}
	}
	return token
}

// missingField returns an error if a session lacks its data or, after a login, its token.
func (c *call) missingField(p *payload) error {
	switch {
	case !p.hasData:
		return errNoData
	case !c.isLogin() || p.token != "":
		return nil
	case p.invalidToken:
		return errInvalidToken
	default:
		return errNoToken
	}
}

// bodyReason says why a body is not a session.
func bodyReason(err error, encoding string) string {
	malformed, isMalformed := errors.AsType[bodyError](err)
	switch {
	case isMalformed && encoding != "" && !strings.EqualFold(encoding, "identity"):
		if len(encoding) > maxShownValue || !isHarmless(encoding) {
			encoding = "an unknown one"
		}
		return "the body is compressed (Content-Encoding: " + encoding + ") although the exporter did not ask for that; check the proxies between the exporter and the HMP"
	case isMalformed:
		return malformed.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the body ends early"
	default:
		return "the connection broke within the body"
	}
}

// readError reads the body of an error.
func (c *call) readError(ctx context.Context, resp *http.Response, a *Answer) {
	body, isTLSPort := io.Reader(resp.Body), false
	if a.StatusCode == http.StatusBadRequest && c.options.URL.Scheme == "http" {
		buffered := bufio.NewReaderSize(resp.Body, 1<<10)
		start, _ := buffered.Peek(buffered.Size())
		body, isTLSPort = buffered, tlsPortText.Match(start)
	}
	p, err := decode(body, maxEnvelope, "", false)
	c.secrets = append(c.secrets, p.secrets...)
	timedOut := err != nil && expired(ctx)
	if a.BodySize = p.size; !timedOut {
		a.Code = parseCode(p.code)
	}
	a.Result = errorResult(a, p.message)
	switch {
	case timedOut && needsBody(a.StatusCode, c.isLogin()):
		a.Result = Timeout
	case c.isLogin() && a.StatusCode < 500 && a.Result != NoRoles && (a.StatusCode == http.StatusUnauthorized || a.Envelope()):
		a.Result = LoginRejected // with any envelope, because repeated refusals can lock the account
		if a.Code.Catalogued() == OtherCode || !a.Envelope() {
			a.Reason = "something else than HMP may have answered"
		}
	}
	if isTLSPort {
		a.Reason = "the server speaks TLS; write https:// in `url`"
	}
	a.Reason = cmp.Or(a.Reason, c.errorReason(a))
}

// errorResult returns the result of an error status. [call.readError] changes it if HMP refuses a
// login.
func errorResult(a *Answer, message string) Result {
	switch status := a.StatusCode; {
	case status == 401 && a.Code == UserNotAuthorized && strings.Contains(strings.ToLower(message), "no role"):
		return NoRoles
	case status == 401, status == 403 && a.Envelope(), status == 404 && a.Code == AuthSessionNotFound:
		return Unauthorized
	case status == 404:
		return EndpointMissing
	case status == 500 && strings.HasPrefix(string(a.Code), "07"):
		return InternalError
	case status == 503 && a.Code == ServiceUnavailable:
		return AuthUnavailable
	default:
		return HTTPError
	}
}

// needsBody reports whether the result of an error depends on its body. A login with status
// 401 counts as refused if its body does not arrive, although it could be NoRoles.
func needsBody(status int, login bool) bool {
	if login && status < 500 {
		return status != http.StatusUnauthorized
	}
	return slices.Contains([]int{401, 403, 404, 500, 503}, status)
}

// errorReason explains an error beyond its status and code.
func (c *call) errorReason(a *Answer) string {
	switch {
	case a.StatusCode == 407 && !a.Envelope() && c.proxy != nil:
		return "the proxy asks for a user and a password (407); write them in proxy_url"
	case a.StatusCode == 407 && !a.Envelope():
		return "a proxy before the HMP asks for a user and a password (407)"
	case a.Envelope() && (a.Result == HTTPError || a.StatusCode == 403 && a.Result == Unauthorized):
		return fmt.Sprintf("HMP itself answered: status %d, code %s", a.StatusCode, a.Code.Text())
	default:
		return ""
	}
}

// tlsPortText matches what web servers answer to plain HTTP on a TLS port.
var tlsPortText = regexp.MustCompile(`(?i)http request to an https server|http request was sent to https port|plain http to an ssl-enabled|requires tls`)

// retryAfter returns how long a Retry-After header asks to wait. The header has a number of
// seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	} else if strings.Trim(value, "0123456789") == "" {
		n, _ := strconv.ParseUint(value, 10, 32) // the maximum if it is out of range
		wait = time.Duration(n) * time.Second
	}
	return min(max(0, wait), maxRetryAfter)
}
