package hmp

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func envelope(status int, code, message string) http.HandlerFunc {
	return answer(status, fmt.Sprintf(`{"code":%q,"name":"N","message":%q,"httpStatusCode":%d}`, code, message, status))
}

// raw answers with bytes of its own choice, on a connection that it then closes.
func raw(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, response)
	}
}

// stall writes the beginning of an answer and holds the rest back.
func stall(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if status != 0 {
			answer(status, body)(w, r)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func TestResults(t *testing.T) {
	tests := []resultTest{
		{"valid", answer(200, `{"data":{}}`), Valid, 200, ""},
		{"valid with all sorts of fields", answer(200, `{"code":5,"data":{"admin":"yes"},"x":[]}`), Valid, 200, ""},
		{"no_roles", envelope(401, "020001", "User has no roles assigned"), NoRoles, 401, UserNotAuthorized},
		{"unauthorized: 020001 with another message", envelope(401, "020001", "User is not authorized"), Unauthorized, 401, UserNotAuthorized},
		{"no_roles: in other words", envelope(401, "020001", "user has NO ROLE assigned."), NoRoles, 401, UserNotAuthorized},
		{"valid behind a byte order mark", answer(200, "\ufeff"+`{"data":{}}`), Valid, 200, ""},
		{"unauthorized: 403 with an envelope", envelope(403, "030001", "x"), Unauthorized, 403, "030001"},
		{"http_error: 403 without an envelope", answer(403, "<html>"), HTTPError, 403, ""},
		{"unauthorized: another code", envelope(401, "020002", "User has no roles assigned"), Unauthorized, 401, InvalidCredentials},
		{"unauthorized: code as a number", answer(401, `{"code":20001,"message":"User has no roles assigned"}`), Unauthorized, 401, ""},
		{"unauthorized: no envelope", answer(401, "<html>"), Unauthorized, 401, ""},
		{"unauthorized: an unknown session", envelope(404, "040022", "Unknown session"), Unauthorized, 404, AuthSessionNotFound},
		{"endpoint_missing", answer(404, "404 page not found"), EndpointMissing, 404, ""},
		{"endpoint_missing: another code", envelope(404, "040001", "Not found"), EndpointMissing, 404, "040001"},
		{"internal_error", envelope(500, "070000", "oops"), InternalError, 500, InternalServer},
		{"internal_error: another of the family", envelope(500, "070099", "oops"), InternalError, 500, "070099"},
		{"http_error: 500 without a code", answer(500, "oops"), HTTPError, 500, ""},
		{"http_error: 500 of another family", envelope(500, "090002", "x"), HTTPError, 500, ServiceUnavailable},
		{"auth_unavailable", envelope(503, "090002", "No connection to authentication server"), AuthUnavailable, 503, ServiceUnavailable},
		{"http_error: 503 of a proxy", answer(503, "<html>"), HTTPError, 503, ""},
		{"http_error: 503 with another code", envelope(503, "070000", "x"), HTTPError, 503, InternalServer},
		{"internal_error: with more behind the code than is read", answer(500, `{"code":"070000","stack":"`+strings.Repeat("x", maxEnvelope)+`"}`), InternalError, 500, InternalServer},
		{"auth_unavailable: cut off behind the code", raw("HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\n{\"code\":\"090002\"}"), AuthUnavailable, 503, ServiceUnavailable},
		{"http_error: a code that is none", envelope(400, canaryToken, "x"), HTTPError, 400, OtherCode},
		{"http_error: 101", raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), HTTPError, 101, ""},
		{"http_error: 202 whose body hangs", stall(202, `{"data":{`), HTTPError, 202, ""},
		{"http_error: 204", answer(204, ""), HTTPError, 204, ""},
		{"http_error: 206", answer(206, `{"data":{}}`), HTTPError, 206, ""},
		{"http_error: 418", answer(418, ""), HTTPError, 418, ""},
		{"http_error: 502 in HTML", answer(502, "<html>"), HTTPError, 502, ""},
		{"timeout: in a 403 that would tell", stall(403, `{"code`), Timeout, 403, ""},
		{"redirect: 301", answer(301, ""), Redirect, 301, ""},
		{"redirect: 304", answer(304, ""), Redirect, 304, ""},
		{"redirect: 308 whose body hangs", stall(308, ""), Redirect, 308, ""},
		{"bad_payload: HTML", answer(200, "<html>"), BadPayload, 200, ""},
		{"bad_payload: empty", answer(200, ""), BadPayload, 200, ""},
		{"bad_payload: no data", answer(200, `{}`), BadPayload, 200, ""},
		{"bad_payload: an error envelope", envelope(200, "070000", "x"), BadPayload, 200, InternalServer},
		{"bad_payload: cut off", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":{}}"), BadPayload, 200, ""},
		{"bad_payload: cut off in a chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"data\":{}}"), BadPayload, 200, ""},
		{"bad_payload: declared too large", raw("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n{\"data\":{}}"), BadPayload, 200, ""},
		{"bad_payload: too large", answer(200, `{"data":{}}`+strings.Repeat(" ", 1<<20)), BadPayload, 200, ""},
		{"bad_payload: gzip that nobody asked for", raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"), BadPayload, 200, ""},
		{"timeout: no answer", stall(0, ""), Timeout, 0, ""},
		{"timeout: in the body", stall(200, `{"data":{`), Timeout, 200, ""},
		{"timeout: behind the object", stall(200, `{"data":{}}`), Timeout, 200, ""},
		{"timeout: in an envelope that would tell", stall(401, `{"code":"020001"`), Timeout, 401, ""},
		{"timeout: in a 404 that would tell", stall(404, ""), Timeout, 404, ""},
		{"timeout: in a 500 that would tell", stall(500, `{"code":"07`), Timeout, 500, ""},
		{"timeout: in a 503 that would tell", stall(503, `{"code":"09`), Timeout, 503, ""},
		{"protocol: closed", raw(""), Protocol, 0, ""},
		{"protocol: reset", reset, Protocol, 0, ""},
		{"protocol: not HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n" + canaryToken), Protocol, 0, ""},
		{"protocol: the token for a status line", func(w http.ResponseWriter, r *http.Request) { raw(r.Header.Get("Authorization")+"\r\n\r\n")(w, r) }, Protocol, 0, ""},
		{"protocol: endless header", raw("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", maxHeaderSize)), Protocol, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.meet(t, ask)
			if (tt.want == BadPayload || tt.want == Protocol) && got.Reason == "" {
				t.Error("it gives no reason")
			}
		})
	}
}

// An resultTest is what a server does, and the answer that has to come of it.
type resultTest struct {
	name    string
	handler http.HandlerFunc
	want    Result
	status  int
	code    Code
}

// meet has call make one exchange with the server, and checks all of the answer
// but its reason.
func (tt *resultTest) meet(t *testing.T, call func(t *testing.T, base string, within time.Duration, change ...func(*Options)) Answer) Answer {
	t.Helper()
	var connections, requests atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // until then, a server does not notice a client that leaves
		tt.handler(w, r)
	}))
	s.Config.ConnState = countNew(&connections)
	s.Start()
	defer s.Close()
	within := plenty
	if tt.want == Timeout || strings.HasSuffix(tt.name, "hangs") {
		within = hung
	}
	got := call(t, s.URL, within)
	want := Answer{Result: tt.want, Responded: tt.status != 0, StatusCode: tt.status, Code: tt.code}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Answer{}, "Phases", "Details", "Reason", "BodySize", "InvalidFields", "Exchanges")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n, m := connections.Load(), requests.Load(); n != 1 || m != 1 {
		t.Errorf("it made %d connections and %d requests, want one", n, m)
	}
	return got
}

func TestCodeText(t *testing.T) {
	for code, want := range map[Code]string{
		UserNotAuthorized: "020001 UserNotAuthorized",
		"030001":          "030001", // of HMP's form, and not documented for this endpoint
		OtherCode:         "a code unlike HMP's",
		"":                "",
	} {
		if got := code.Text(); got != want {
			t.Errorf("%q: got %q, want %q", code, got, want)
		}
	}
}

func TestResultsAreExplained(t *testing.T) {
	seen := make(map[Result]bool)
	for _, o := range Results {
		if seen[o.Result] || o.Meaning == "" || o.Advice == "" {
			t.Errorf("result %q is listed twice or not explained", o.Result)
		}
		seen[o.Result] = true
	}
	if Result("nonsense").Info() != (ResultInfo{}) {
		t.Error("a word outside the set is explained")
	}
}
