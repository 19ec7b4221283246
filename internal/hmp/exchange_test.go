package hmp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

// What is told of an exchange has all names of both headers, and no value that could
// be a secret, whether it is configured, sent or received.
func TestExchange(t *testing.T) {
	const handedOut = canary.Word + "-handed-out"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Date", "Mon, 04 May 2026 03:02:01 GMT")
		h.Set("Content-Type", "application/json")
		h.Set("Server", "hmp/4.1.1 "+r.Header.Get("Authorization")+" "+handedOut)
		h.Set("Via", r.Header.Get("X-Gateway"))
		h.Set("Set-Cookie", "session="+canary.Word)
		h.Set("X-"+canaryToken, "1")
		h.Set("Location", "https://user:CANARY@idp.example/saml/login/CANARY-0123456789-0123456789;id=CANARY?code=CANARY#CANARY")
		_, _ = fmt.Fprintf(w, `{"data":{"authToken":%q,"admin":true}}`, handedOut)
	}))
	defer s.Close()
	a, _ := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		return c.Session(ctx, Request{Token: secret.New(canaryToken), Header: http.Header{
			"X-Gateway": {canary.Word + "-gateway"}, "Content-Type": {canary.Word}, "Accept": {canary.Word},
		}})
	})
	want := []Exchange{{
		Method: "GET", Result: Valid, Proto: "HTTP/1.1", StatusCode: 200,
		Request: "Accept: application/json\nAccept-Encoding: identity\nAuthorization\nContent-Type\nUser-Agent: hmp_exporter/test\nX-Gateway\n",
		Response: "Content-Length: 55\nContent-Type: application/json\nDate: Mon, 04 May 2026 03:02:01 GMT\n" +
			"Location: https://idp.example/…\nServer: hmp/4.1.1 Bearer <secret> <secret>\nSet-Cookie\nVia: <secret>\n1 more\n",
	}}
	if diff := cmp.Diff(want, a.Exchanges, cmpopts.IgnoreFields(Exchange{}, "Took")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.Exchanges[0].Took <= 0 || a.Exchanges[0].Took != a.Phases.Total() {
		t.Errorf("it took %v, and the phases %+v", a.Exchanges[0].Took, a.Phases)
	}
	canary.CheckValue(t, "the answer", a)
}

// A login tells of itself in the same way.
func TestExchangeOfLogin(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Server", "CANARY-key CANARY-secret")
		w.WriteHeader(http.StatusForbidden)
	}))
	defer s.Close()
	a, _ := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		return c.Login(ctx, LoginRequest{Key: secret.New("CANARY-key"), Secret: secret.New("CANARY-secret")})
	})
	want := []Exchange{{
		Method: "POST", Result: HTTPError, Proto: "HTTP/1.1", StatusCode: 403,
		Request:  "Accept: application/json\nAccept-Encoding: identity\nContent-Type: application/json\nUser-Agent: hmp_exporter/test\n",
		Response: "Content-Length: 0\nServer: <secret> <secret>\n",
	}}
	if diff := cmp.Diff(want, a.Exchanges, cmpopts.IgnoreFields(Exchange{}, "Took")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An exchange without a response tells of the request alone.
func TestExchangeWithoutResponse(t *testing.T) {
	a := ask(t, "http://127.0.0.1:1", plenty)
	want := []Exchange{{Method: "GET", Result: Connect, Request: "Accept: application/json\nAccept-Encoding: identity\nAuthorization\nUser-Agent: hmp_exporter/test\n"}}
	if diff := cmp.Diff(want, a.Exchanges, cmpopts.IgnoreFields(Exchange{}, "Took")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// However large and odd a header is, what is told of it is short and can be shown.
func TestHeaderIsBounded(t *testing.T) {
	h := http.Header{"Server": {strings.Repeat("\xffü\n: 😀", 10_000)}, strings.Repeat("A", 60_000): {"x"}}
	for i := range 5000 {
		h.Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 100))
	}
	got := receivedHeader(h, &mask{secrets: []string{"a secret"}})
	if len(got) > maxHeader {
		t.Errorf("it has %d bytes", len(got))
	}
	if !utf8.ValidString(string(got)) {
		t.Errorf("it is not UTF-8: %q", got)
	}
	want := []HeaderField{{"Server", "", true}, {"5001 more", "", true}}
	if diff := cmp.Diff(want, got.Fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHeaderFields(t *testing.T) {
	got := Header("A: b: c\nB\nC: \n").Fields()
	want := []HeaderField{{"A", "b: c", false}, {"B", "", true}, {"C", "", false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Header("").Fields(); got != nil {
		t.Errorf("no header has %+v", got)
	}
}

func TestRedirectServer(t *testing.T) {
	for location, want := range map[string]string{
		"/login":                              "/…",
		"//idp.example/":                      "//idp.example",
		"https://a.example:8443":              "https://a.example:8443",
		"https://a.example/b;jsessionid=12/c": "https://a.example/…",
		"https://u:p@a.example/":              "https://a.example",
		"mailto:somebody":                     "mailto:/…",
		"http://[::1/%zz":                     "<malformed>",
	} {
		if got := redirectServer(location); got != want {
			t.Errorf("%s: got %q, want %q", location, got, want)
		}
	}
}
