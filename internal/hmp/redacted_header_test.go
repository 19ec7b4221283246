package hmp

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

// An exchange has the names of both headers, and no value that could be a secret, whether it is
// configured, sent or received.
func TestExchangeShowsNoSecret(t *testing.T) {
	const handedOut = canary.Word + "-handed-out"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Date", "Mon, 04 May 2026 03:02:01 GMT")
		h.Set("Content-Type", "application/json")
		h.Set("Server", "hmp/4.1.1 "+r.Header.Get("Authorization")+" "+handedOut)
		h.Set("Via", r.Header.Get("X-Gateway"))
		h.Set("Set-Cookie", "session="+canary.Word)
		h.Set("X-"+canaryToken, "1")
		h.Set("Location", "https://user:CANARY@idp.example/saml/login/CANARY-0123456789-0123456789;id=CANARY?code=CANARY#CANARY")
		_, _ = fmt.Fprintf(w, `{"data":{"authToken":%q,"admin":true}}`, handedOut)
	})
	a := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		return c.GetSession(ctx, SessionRequest{Token: secret.New(canaryToken), Header: http.Header{
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

func TestLoginShowsNoSecret(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Server", canaryKey+" "+canarySecret)
		w.WriteHeader(http.StatusForbidden)
	})
	a := exchange(t, s.URL, plenty, login)
	want := []Exchange{{
		Method: "POST", Result: HTTPError, Proto: "HTTP/1.1", StatusCode: 403,
		Request:  "Accept: application/json\nAccept-Encoding: identity\nContent-Type: application/json\nIdempotency-Key\nUser-Agent: hmp_exporter/test\nX-Idempotency-Key\n",
		Response: "Content-Length: 0\nServer: <secret> <secret>\n",
	}}
	if diff := cmp.Diff(want, a.Exchanges, cmpopts.IgnoreFields(Exchange{}, "Took")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHeaderIsBounded(t *testing.T) {
	h := http.Header{"Server": {strings.Repeat("\xffü\n: 😀", 10_000)}, strings.Repeat("A", 60_000): {"x"}}
	for i := range 5000 {
		h.Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 100))
	}
	got := redactResponse(h, newMask("a secret"))
	if len(got) > maxRedactedHeader || !utf8.ValidString(string(got)) {
		t.Errorf("it has %d bytes, or is not UTF-8: %q", len(got), got)
	}
	want := []HeaderField{{"Server", "", true}, {"5001 more", "", true}}
	if diff := cmp.Diff(want, got.Fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLocationShowsOnlyTheServer(t *testing.T) {
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

// A value is shown if its form cannot hold a secret. Names of servers are masked. Unusual names
// are counted.
func TestHeaderShowsNoSecret(t *testing.T) {
	h := http.Header{
		"Server": {"nginx/1.25.3 (Ubuntu)"}, "Via": {"1.1 proxy\tx, 1.0 " + url.QueryEscape(canaryToken)}, "Content-Type": {"Text/HTML; charset=UTF-8"}, "X-Request-Id": {"1"},
		"Age": {base64.StdEncoding.EncodeToString([]byte(canaryToken))}, "X-" + strings.ToLower(canaryToken): {"1"}, "Allow": {"GET, " + canaryToken}, "Content-Length": {"1234567"},
		"Vary": {strings.ToLower(canaryToken[:10])}, "Location": {"https://" + strings.ToLower(canaryToken) + ".example/" + canaryToken}, "Cache-Control": {"no-store,max-age=0"},
		"Date": {"Mon, 04 May 2026 03:02:01 GMT"}, "Retry-After": {"12345678"}, "X-Other": {"1"}, "Transfer-Encoding": {strings.Repeat("chunked,", 99)},
	}
	want := "Age\nAllow\nCache-Control: no-store,max-age=0\nContent-Length: 1234567\nContent-Type: Text/HTML; charset=UTF-8\nDate: Mon, 04 May 2026 03:02:01 GMT\n" +
		"Location: <secret>\nRetry-After\nServer: nginx/1.25.3 (Ubuntu)\nTransfer-Encoding\nVary\nVia: 1.1 proxy x, 1.0 <secret>\nX-Request-Id\n2 more\n"
	if got := string(redactResponse(h, newMask(canaryToken))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(redactResponse(http.Header{"Age": {"424242"}}, newMask("424242"))); got != "Age\n" {
		t.Errorf("a secret of digits: got %q", got)
	}
}
