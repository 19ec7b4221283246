package hmp

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// loginAsk is ask for a login.
func loginAsk(t *testing.T, base string, within time.Duration, change ...func(*Options)) Answer {
	t.Helper()
	a, _ := exchange(t, base, within, login, change...)
	return a
}

// What the answer to a POST says. A reason is a part of the one that is given, and
// none is given where that is empty.
func TestLoginResults(t *testing.T) {
	const (
		proxy    = "a proxy before the HMP asks for a user and a password"
		stranger = "something else than HMP"
	)
	tests := []struct {
		resultTest
		reason string
	}{
		{resultTest{"valid", answer(200, `{"data":{"authToken":"a"}}`), Valid, 200, ""}, ""},
		{resultTest{"valid beside a code", answer(200, `{"code":"020002","data":{"authToken":"a"}}`), Valid, 200, ""}, ""},
		{resultTest{"bad_payload: no token", answer(200, `{"data":{}}`), BadPayload, 200, ""}, "no authToken"},
		{resultTest{"bad_payload: a token that is not fit", answer(200, `{"data":{"authToken":"a b"}}`), BadPayload, 200, ""}, "not fit for a header"},
		{resultTest{"bad_payload: no token beside a code", answer(200, `{"code":"020002","data":{}}`), BadPayload, 200, ""}, "no authToken"},
		{resultTest{"bad_payload: HTML", answer(200, "<html>"), BadPayload, 200, ""}, "not a JSON object"},
		{resultTest{"bad_payload: no data", answer(200, `{}`), BadPayload, 200, ""}, "no data object"},
		{resultTest{"bad_payload: another envelope", envelope(200, "070000", "x"), BadPayload, 200, InternalServer}, "no data object"},
		{resultTest{"bad_payload: cut off", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":\"020002\"}"), BadPayload, 200, ""}, "ends early"},
		{resultTest{"bad_payload: too large", answer(200, `{"data":{"authToken":"a"}}`+strings.Repeat(" ", 1<<20)), BadPayload, 200, ""}, "max_body_size"},

		{resultTest{"login_rejected: a 200 that says the credentials are wrong", envelope(200, "020002", "Invalid credentials"), LoginRejected, 200, InvalidCredentials}, ""},
		{resultTest{"login_rejected: a 200 that says the input is wrong", answer(200, `{"code":"010001","data":null}`), LoginRejected, 200, InputValidation}, ""},
		{resultTest{"login_rejected: the credentials", envelope(401, "020002", "Invalid credentials"), LoginRejected, 401, InvalidCredentials}, ""},
		{resultTest{"login_rejected: the input", envelope(400, "010001", "apiKey is required"), LoginRejected, 400, InputValidation}, ""},
		{resultTest{"login_rejected: 020001 with another message", envelope(401, "020001", "User is not authorized"), LoginRejected, 401, UserNotAuthorized}, ""},
		{resultTest{"login_rejected: no roles with another status", envelope(403, "020001", "User has no roles assigned"), LoginRejected, 403, UserNotAuthorized}, ""},
		{resultTest{"login_rejected: no roles with another code", envelope(401, "020002", "User has no roles assigned"), LoginRejected, 401, InvalidCredentials}, ""},
		{resultTest{"login_rejected: 401 without a code", answer(401, "<html>"), LoginRejected, 401, ""}, stranger},
		{resultTest{"login_rejected: 401 whose body hangs", stall(401, `{"code":"020001","message":"User has no roles assigned"}`), LoginRejected, 401, ""}, stranger},
		{resultTest{"login_rejected: 401 cut off", raw("HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\n{\"code\":\"020001\""), LoginRejected, 401, UserNotAuthorized}, ""},
		{resultTest{"login_rejected: 401 too large", answer(401, strings.Repeat(" ", maxEnvelope)+`{}`), LoginRejected, 401, ""}, stranger},
		{resultTest{"login_rejected: 403 with a code that the catalogue lacks", envelope(403, "040006", "x"), LoginRejected, 403, "040006"}, stranger},
		{resultTest{"login_rejected: 400 with a code of the 500s", envelope(400, "070000", "x"), LoginRejected, 400, InternalServer}, ""},
		{resultTest{"endpoint_missing: 404", answer(404, "404 page not found"), EndpointMissing, 404, ""}, ""},
		{resultTest{"login_rejected: 404 with a code", envelope(404, "040022", "Unknown session"), LoginRejected, 404, AuthSessionNotFound}, ""},
		{resultTest{"timeout: in a 404", stall(404, ""), Timeout, 404, ""}, ""},
		{resultTest{"http_error: 407", answer(407, "<html>"), HTTPError, 407, ""}, proxy},
		{resultTest{"http_error: 403 of a gateway", answer(403, "<html>"), HTTPError, 403, ""}, ""},
		{resultTest{"http_error: 408", answer(408, ""), HTTPError, 408, ""}, ""},
		{resultTest{"http_error: 429", answer(429, ""), HTTPError, 429, ""}, ""},
		{resultTest{"http_error: 499", answer(499, ""), HTTPError, 499, ""}, ""},
		{resultTest{"http_error: the secret for a code", echo("HTTP/1.1 400 Bad\r\n\r\n{\"code\":\"", "\"}"), HTTPError, 400, OtherCode}, ""},

		{resultTest{"no_roles", envelope(401, "020001", "User has no roles assigned"), NoRoles, 401, UserNotAuthorized}, ""},
		{resultTest{"internal_error", envelope(500, "070000", "x"), InternalError, 500, InternalServer}, ""},
		{resultTest{"internal_error: no session could be made", envelope(500, "070051", "Could not create user session"), InternalError, 500, CreateUserSession}, ""},
		{resultTest{"auth_unavailable", envelope(503, "090002", "No connection to authentication server"), AuthUnavailable, 503, ServiceUnavailable}, ""},
		{resultTest{"http_error: 500 with a code of the 401s", envelope(500, "020002", "Invalid credentials"), HTTPError, 500, InvalidCredentials}, "HMP itself answered: status 500, code 020002"},
		{resultTest{"http_error: 503 with a code of the 401s", envelope(503, "020002", "Invalid credentials"), HTTPError, 503, InvalidCredentials}, "HMP itself answered"},
		{resultTest{"http_error: 502 with a code of the 401s", envelope(502, "020002", "Invalid credentials"), HTTPError, 502, InvalidCredentials}, "HMP itself answered"},
		{resultTest{"http_error: 502 whose body hangs", stall(502, "<html>"), HTTPError, 502, ""}, ""},
		{resultTest{"http_error: 503 of a proxy", answer(503, "<html>"), HTTPError, 503, ""}, ""},
		{resultTest{"http_error: 599", answer(599, ""), HTTPError, 599, ""}, ""},
		{resultTest{"http_error: 600", answer(600, ""), HTTPError, 600, ""}, ""},
		{resultTest{"valid: 201", answer(201, `{"data":{"authToken":"a"}}`), Valid, 201, ""}, ""},
		{resultTest{"http_error: 202 without a token", answer(202, `{"data":{}}`), HTTPError, 202, ""}, ""},
		{resultTest{"http_error: 204", answer(204, ""), HTTPError, 204, ""}, ""},
		{resultTest{"redirect: 302", answer(302, ""), Redirect, 302, ""}, ""},
		{resultTest{"redirect: 307", redirect(307), Redirect, 307, ""}, ""},
		{resultTest{"redirect: 308", redirect(308), Redirect, 308, ""}, ""},

		{resultTest{"timeout: no answer", stall(0, ""), Timeout, 0, ""}, ""},
		{resultTest{"timeout: in the body", stall(200, `{"data":{"authToken":"a"`), Timeout, 200, ""}, ""},
		{resultTest{"timeout: behind the object", stall(200, `{"data":{"authToken":"a"}}`), Timeout, 200, ""}, ""},
		{resultTest{"timeout: in a 500", stall(500, `{"code":"07`), Timeout, 500, ""}, ""},
		{resultTest{"timeout: in a 503", stall(503, `{"code":"09`), Timeout, 503, ""}, ""},
		{resultTest{"protocol: closed", raw(""), Protocol, 0, ""}, "closed"},
		{resultTest{"protocol: reset", reset, Protocol, 0, ""}, "reset"},
		{resultTest{"protocol: the secret for a status line", echo("", "\r\n\r\n"), Protocol, 0, ""}, "not valid HTTP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.meet(t, loginAsk)
			if !strings.Contains(got.Reason, tt.reason) || tt.reason == "" && got.Reason != "" {
				t.Errorf("got reason %q, want one with %q", got.Reason, tt.reason)
			}
		})
	}
}

// echo answers with the secret of the login between two texts.
func echo(before, behind string) http.HandlerFunc {
	return raw(before + canarySecret + behind)
}

// redirect sends the client elsewhere on the same server.
func redirect(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}
}
