package hmp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

const canaryToken = canary.Word + "-token-7f3a"

const (
	hung   = time.Second // for a server that uses it up in any case
	plenty = time.Minute // for one that does not, even on a busy machine
)

// ask asks the server at base about the session of the canary.
func ask(t *testing.T, base string, within time.Duration, change ...func(*Options)) Answer {
	t.Helper()
	a, _ := exchange(t, base, within, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		return c.Session(ctx, Request{Token: secret.New(canaryToken)})
	}, change...)
	return a
}

// exchange makes one call to the server at base.
func exchange(t *testing.T, base string, within time.Duration, call func(context.Context, *Client) (Answer, secret.Value), change ...func(*Options)) (Answer, string) {
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
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	a, value := call(ctx, client)
	token := value.Reveal()
	if strings.Contains(fmt.Sprintf("%+v", a), "CANARY") {
		t.Errorf("the answer tells a secret: %+v", a)
	}
	if a.Result != Valid && token != "" {
		t.Errorf("%s comes with a token", a.Result)
	}
	return a, token
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
		c.Session(ctx, Request{Token: secret.New(canaryToken), Header: http.Header{"X-Tenant": {"a", "b"}}})
	}
	if want := "GET /prefix/apis/authentication/login/key"; got.Method+" "+got.RequestURI != want {
		t.Errorf("got %s %s, want %s", got.Method, got.RequestURI, want)
	}
	want := http.Header{
		"Authorization": {"Bearer " + canaryToken}, "Accept": {"application/json"},
		"Accept-Encoding": {"identity"}, "User-Agent": {"hmp_exporter/1.2.3"}, "X-Tenant": {"a", "b"},
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
				if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); !a.Responded {
					t.Fatalf("no response: %+v", a)
				}
			}
			if n := connections.Load(); n != tt.want {
				t.Errorf("made %d connections, want %d", n, tt.want)
			}
		})
	}
}

func TestPhases(t *testing.T) {
	s := httptest.NewTLSServer(stall(200, `{"data":{`))
	defer s.Close()
	base := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	named := func(o *Options) { trust(s)(o); o.TLS.ServerName = "example.com" }
	p := ask(t, base, hung, named).Phases
	for name, d := range map[string]time.Duration{"connect": p.Connect, "tls": p.TLS, "processing": p.Processing, "transfer": p.Transfer} {
		if d <= 0 {
			t.Errorf("phase %s took %v", name, d)
		}
	}
	if p.Transfer < p.Connect+p.TLS+p.Processing {
		t.Errorf("the time ran out in the transfer, but the phases are %+v", p)
	}

	refused := ask(t, "http://127.0.0.1:1", plenty).Phases
	if refused.Connect <= 0 || refused.TLS != 0 || refused.Processing != 0 || refused.Transfer != 0 {
		t.Errorf("refused: got phases %+v, want only connect", refused)
	}
}

func TestRequestsDoNotPrintTheirSecrets(t *testing.T) {
	header := http.Header{"X-Secret": {canaryToken}}
	for _, request := range []any{
		Request{Token: secret.New(canaryToken), Header: header}, &Request{Token: secret.New(canaryToken), Header: header},
		LoginRequest{Key: secret.New(canaryToken), Secret: secret.New(canaryToken), Header: header}, &LoginRequest{Key: secret.New(canaryToken), Secret: secret.New(canaryToken), Header: header},
		struct{ Inner LoginRequest }{LoginRequest{Key: secret.New(canaryToken)}}, []Request{{Token: secret.New(canaryToken)}},
	} {
		canary.CheckValue(t, fmt.Sprintf("%T", request), request)
	}
}
