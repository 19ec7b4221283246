package hmp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

// TestRequests compares what HMP receives. A configured header does not replace the client's.
func TestRequests(t *testing.T) {
	extra := http.Header{"X-Tenant": {"a", "b"}, "Authorization": {"Basic x"}, "Accept": {"*/*"}, "User-Agent": {"x"}}
	given := extra.Clone()
	common := http.Header{"X-Tenant": {"a", "b"}, "Accept": {"application/json"}, "Accept-Encoding": {"identity"}, "User-Agent": {"hmp_exporter/test"}}
	with := func(name, value string) http.Header {
		h := common.Clone()
		h.Set(name, value)
		return h
	}
	loginWith := func(key, apiSecret string) caller {
		return func(ctx context.Context, c *Client) (Answer, secret.Value) {
			return c.Login(ctx, LoginRequest{Key: secret.New(key), Secret: secret.New(apiSecret), Header: extra})
		}
	}
	header := with("Content-Type", "application/json")
	for _, tt := range []struct {
		call          caller
		request, body string
		header        http.Header
	}{
		{func(ctx context.Context, c *Client) (Answer, secret.Value) {
			return c.GetSession(ctx, SessionRequest{Token: secret.New(canaryToken), Header: extra})
		}, "GET /prefix/apis/authentication/login/key", "", with("Authorization", "Bearer "+canaryToken)},
		{func(ctx context.Context, c *Client) (a Answer, none secret.Value) {
			_, a = c.Version(ctx, SessionRequest{Token: secret.New(canaryToken), Header: extra})
			return a, none
		}, "GET /prefix/apis/system/version", "", with("Authorization", "Bearer "+canaryToken)},
		{loginWith(canaryKey, canarySecret), "POST /prefix/apis/authentication/login/key", `{"apiKey":"CANARY-key-51c2","apiSecret":"CANARY-secret-90be"}`, header},
		{loginWith(`a"b\c`, "d\ne\tf"), "POST /prefix/apis/authentication/login/key", `{"apiKey":"a\"b\\c","apiSecret":"d\ne\tf"}`, header},
		{loginWith("<ü>", "&😀"), "POST /prefix/apis/authentication/login/key", `{"apiKey":"\u003cü\u003e","apiSecret":"\u0026😀"}`, header},
	} {
		var got *http.Request
		var body []byte
		requests := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r
			requests++
			body, _ = io.ReadAll(r.Body)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "live"})
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Refresh", "0; url=/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		a := exchange(t, s.URL+"/prefix", plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
			tt.call(ctx, c) // a cookie jar would send the cookie the second time
			return tt.call(ctx, c)
		}, keepAlive)
		if a.Result != Redirect || requests != 2 {
			t.Errorf("%s: got %+v after %d requests, want a redirect that is not followed", tt.request, a, requests)
		}
		if got := got.Method + " " + got.RequestURI; got != tt.request || string(body) != tt.body {
			t.Errorf("got %s with %s, want %s with %s", got, body, tt.request, tt.body)
		}
		got.Header.Del("Content-Length")
		if diff := cmp.Diff(tt.header, got.Header); diff != "" {
			t.Errorf("%s: header (-want +got):\n%s", tt.request, diff)
		}
	}
	if diff := cmp.Diff(given, extra); diff != "" {
		t.Errorf("the caller's header was changed (-was +is):\n%s", diff)
	}
}

func TestRequestsDoNotPrintTheirSecrets(t *testing.T) {
	header := http.Header{"X-Secret": {canaryToken}}
	r := SessionRequest{Token: secret.New(canaryToken), Header: header}
	l := LoginRequest{Key: secret.New(canaryToken), Secret: secret.New(canaryToken), Header: header}
	for _, request := range []any{r, &r, l, &l, struct{ Inner LoginRequest }{l}, []SessionRequest{r}} {
		canary.CheckValue(t, fmt.Sprintf("%T", request), request)
	}
}
