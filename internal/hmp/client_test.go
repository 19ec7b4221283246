package hmp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const canary = "CANARY-token-7f3a"

// ask makes one exchange with the server at base, within a time that only a hung
// server uses up.
func ask(t *testing.T, base string, change ...func(*Options)) Answer {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{URL: u, MaxBodySize: 1 << 20, UserAgent: "hmp_exporter/test", TLS: &tls.Config{}}
	for _, c := range change {
		c(&o)
	}
	client := NewClient(o)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	a := client.Session(ctx, Request{Token: canary})
	if strings.Contains(fmt.Sprintf("%+v", a), canary) {
		t.Errorf("the answer tells the token: %+v", a)
	}
	return a
}

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

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    Outcome
		status  int
		code    Code
	}{
		{"valid", answer(200, `{"data":{}}`), Valid, 200, ""},
		{"valid with all sorts of fields", answer(200, `{"code":5,"data":{"admin":"yes"},"x":[]}`), Valid, 200, ""},
		{"no_roles", envelope(401, "020001", "User has no roles assigned"), NoRoles, 401, UserNotAuthorized},
		{"unauthorized: 020001 with another message", envelope(401, "020001", "User is not authorized"), Unauthorized, 401, UserNotAuthorized},
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
		{"http_error: a code that is none", envelope(400, canary, "x"), HTTPError, 400, OtherCode},
		{"http_error: 101", raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), HTTPError, 101, ""},
		{"http_error: 202 whose body hangs", stall(202, `{"data":{`), HTTPError, 202, ""},
		{"http_error: 204", answer(204, ""), HTTPError, 204, ""},
		{"http_error: 206", answer(206, `{"data":{}}`), HTTPError, 206, ""},
		{"http_error: 403", envelope(403, "040006", "x"), HTTPError, 403, "040006"},
		{"http_error: 418", answer(418, ""), HTTPError, 418, ""},
		{"http_error: 502 in HTML", answer(502, "<html>"), HTTPError, 502, ""},
		{"http_error: 403 whose body hangs", stall(403, `{"code`), HTTPError, 403, ""},
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
		{"protocol: not HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n" + canary), Protocol, 0, ""},
		{"protocol: the token for a status line", func(w http.ResponseWriter, r *http.Request) { raw(r.Header.Get("Authorization")+"\r\n\r\n")(w, r) }, Protocol, 0, ""},
		{"protocol: endless header", raw("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", maxHeaderSize)), Protocol, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			s := httptest.NewUnstartedServer(tt.handler)
			s.Config.ConnState = countNew(&connections)
			s.Start()
			defer s.Close()
			got := ask(t, s.URL)
			want := Answer{Outcome: tt.want, Responded: tt.status != 0, StatusCode: tt.status, Code: tt.code}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Answer{}, "Phases", "Details", "Reason")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (tt.want == BadPayload || tt.want == Protocol) && got.Reason == "" {
				t.Error("it gives no reason")
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("it made %d connections, want 1", n)
			}
		})
	}
}

func TestFailuresToConnect(t *testing.T) {
	silent := listen(t, func(net.Conn) {})
	closing := listen(t, func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() })
	plain := httptest.NewServer(answer(200, `{"data":{}}`))
	defer plain.Close()
	secure := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer secure.Close()
	refusingProxy := httptest.NewServer(answer(407, ""))
	defer refusingProxy.Close()
	throughProxy := func(o *Options) {
		u, _ := url.Parse(refusingProxy.URL)
		o.Proxy = http.ProxyURL(u)
	}
	old := httptest.NewUnstartedServer(answer(200, `{"data":{}}`))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()

	tests := []struct {
		name   string
		base   string
		change []func(*Options)
		want   Outcome
		reason string // a part of it
		status int
	}{
		{name: "dns: no such host", base: "https://hmp..example", want: DNS, reason: "lookup hmp..example: no such host"},
		{name: "connect: refused", base: "https://127.0.0.1:1", want: Connect, reason: "connection refused"},
		{name: "connect: the proxy refuses", base: "https://hmp.example", change: []func(*Options){throughProxy}, want: Connect, reason: "proxy"},
		{name: "tls: signed by nobody", base: secure.URL, want: TLS, reason: "ca_file"},
		{name: "tls: another name", base: strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), change: []func(*Options){trust(secure)}, want: TLS, reason: "server_name"},
		{name: "tls: no version in common", base: old.URL, want: TLS, reason: "protocol version"},
		{name: "tls: the far side speaks HTTP", base: strings.Replace(plain.URL, "http:", "https:", 1), want: TLS, reason: "http://"},
		{name: "tls: the far side hangs up", base: "https://" + closing, want: TLS, reason: "the connection was"},
		{name: "timeout: in the handshake", base: "https://" + silent, want: Timeout},
		{name: "http_error: the far side speaks TLS", base: strings.Replace(secure.URL, "https:", "http:", 1), want: HTTPError, status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, tt.base, tt.change...)
			if got.Outcome != tt.want || got.Responded != (tt.status != 0) || got.StatusCode != tt.status {
				t.Errorf("got %+v, want outcome %s and status %d", got, tt.want, tt.status)
			}
			if !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("got reason %q, want one with %q", got.Reason, tt.reason)
			}
		})
	}
}

// listen accepts connections and keeps them open until the end of the test.
func listen(t *testing.T, accepted func(net.Conn)) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			accepted(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func trust(s *httptest.Server) func(*Options) {
	return func(o *Options) { o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig }
}

func TestRequest(t *testing.T) {
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "live"})
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Refresh", "0; url=/elsewhere")
		w.WriteHeader(302)
	}))
	defer s.Close()
	u, _ := url.Parse(s.URL + "/prefix")
	c := NewClient(Options{URL: u, KeepAlive: true, UserAgent: "hmp_exporter/1.2.3"})
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 2 { // the second time, a cookie jar would send the cookie
		c.Session(ctx, Request{Token: canary, Header: http.Header{"X-Tenant": {"a", "b"}}})
	}
	if want := "GET /prefix/apis/authentication/login/key"; got.Method+" "+got.RequestURI != want {
		t.Errorf("got %s %s, want %s", got.Method, got.RequestURI, want)
	}
	want := http.Header{
		"Authorization": {"Bearer " + canary}, "Accept": {"application/json"},
		"User-Agent": {"hmp_exporter/1.2.3"}, "X-Tenant": {"a", "b"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestConnections(t *testing.T) {
	good, bad := answer(200, `{"data":{}}`), envelope(500, "070000", "x")
	tests := []struct {
		name    string
		keep    bool
		answers []http.HandlerFunc
		want    int32
	}{
		{"a new one for every exchange", false, []http.HandlerFunc{good, good, good}, 3},
		{"a kept one", true, []http.HandlerFunc{good, good, good}, 1},
		{"a new one after a failure", true, []http.HandlerFunc{good, bad, good, good}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var connections, requests atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tt.answers[requests.Add(1)-1](w, r)
			}))
			s.Config.ConnState = countNew(&connections)
			s.StartTLS()
			defer s.Close()
			u, _ := url.Parse(s.URL)
			o := Options{URL: u, KeepAlive: tt.keep, MaxBodySize: 1 << 20}
			trust(s)(&o)
			c := NewClient(o)
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range tt.answers {
				if a := c.Session(ctx, Request{Token: canary}); !a.Responded {
					t.Fatalf("no response: %+v", a)
				}
			}
			if n := connections.Load(); n != tt.want {
				t.Errorf("made %d connections, want %d", n, tt.want)
			}
		})
	}
}

func TestCertificateExpiry(t *testing.T) {
	s := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer s.Close()
	want := s.Certificate().NotAfter
	if a := ask(t, s.URL, trust(s)); a.Outcome != Valid || !a.CertificateExpiry.Equal(want) {
		t.Errorf("accepted: got %s and %v, want %v", a.Outcome, a.CertificateExpiry, want)
	}
	if a := ask(t, s.URL); a.Outcome != TLS || !a.CertificateExpiry.Equal(want) {
		t.Errorf("refused: got %s and %v, want %v", a.Outcome, a.CertificateExpiry, want)
	}
}

func TestPhases(t *testing.T) {
	s := httptest.NewTLSServer(stall(200, `{"data":{`))
	defer s.Close()
	base := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	named := func(o *Options) { trust(s)(o); o.TLS.ServerName = "example.com" }
	p := ask(t, base, named).Phases
	for name, d := range map[string]time.Duration{"connect": p.Connect, "tls": p.TLS, "processing": p.Processing, "transfer": p.Transfer} {
		if d <= 0 {
			t.Errorf("phase %s took %v", name, d)
		}
	}
	if p.Transfer < p.Connect+p.TLS+p.Processing {
		t.Errorf("the time ran out in the transfer, but the phases are %+v", p)
	}

	refused := ask(t, "http://127.0.0.1:1").Phases
	if refused.Connect <= 0 || refused.TLS != 0 || refused.Processing != 0 || refused.Transfer != 0 {
		t.Errorf("refused: got phases %+v, want only connect", refused)
	}
}

func TestOutcomesAreExplained(t *testing.T) {
	seen := make(map[Outcome]bool)
	for _, o := range Outcomes {
		if seen[o.Outcome] || o.Meaning == "" || o.Advice == "" {
			t.Errorf("outcome %q is listed twice or not explained", o.Outcome)
		}
		seen[o.Outcome] = true
	}
	if Outcome("nonsense").Info() != (OutcomeInfo{}) {
		t.Error("a word outside the set is explained")
	}
}
