package hmp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	canaryToken  = canary.Word + "-token-7f3a"
	canaryKey    = canary.Word + "-key-51c2"
	canarySecret = canary.Word + "-secret-90be"
)

const (
	hung   = time.Second // the time of a call to a server that hangs
	plenty = time.Minute // of any other call, even on a busy machine
)

// A caller makes a call with a client.
type caller func(context.Context, *Client) (Answer, secret.Value)

// session asks about the session of the canary.
func session(ctx context.Context, c *Client) (Answer, secret.Value) {
	return c.GetSession(ctx, SessionRequest{Token: secret.New(canaryToken)})
}

// login logs in with the canaries. The headers make net/http repeat a request.
func login(ctx context.Context, c *Client) (Answer, secret.Value) {
	return c.Login(ctx, LoginRequest{
		Key: secret.New(canaryKey), Secret: secret.New(canarySecret), Header: http.Header{"Idempotency-Key": {"x"}, "X-Idempotency-Key": {"x"}},
	})
}

// newClient returns a client of the server at base.
func newClient(t *testing.T, base string, change ...func(*Options)) *Client {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{URL: u, MaxBodySize: 1 << 20, UserAgent: "hmp_exporter/test"}
	for _, c := range change {
		c(&o)
	}
	client := NewClient(o)
	t.Cleanup(client.Close)
	return client
}

// exchange makes one call to the server at base.
func exchange(t *testing.T, base string, within time.Duration, call caller, change ...func(*Options)) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	a, token := call(ctx, newClient(t, base, change...))
	if strings.Contains(fmt.Sprintf("%+v", a), canary.Word) {
		t.Errorf("the answer has a secret: %+v", a)
	}
	if a.Result != Valid && token.Reveal() != "" {
		t.Errorf("%s comes with a token", a.Result)
	}
	return a
}

// ask is exchange for a session.
func ask(t *testing.T, base string, within time.Duration, change ...func(*Options)) Answer {
	t.Helper()
	return exchange(t, base, within, session, change...)
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func envelope(status int, code, message string) http.HandlerFunc {
	return answer(status, fmt.Sprintf(`{"code":%q,"name":"N","message":%q,"httpStatusCode":%d}`, code, message, status))
}

// raw answers with the given bytes and closes the connection.
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

// serve starts a server. change may set its TLS configuration, which makes it speak TLS.
func serve(t *testing.T, h http.HandlerFunc, change ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	for _, c := range change {
		c(s)
	}
	if s.TLS != nil {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// certified returns a certificate of a new authority, and a pool with that authority.
func certified(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	return certificate, roots
}

// trust makes a client trust a server.
func trust(s *httptest.Server) func(*Options) {
	return func(o *Options) { o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig }
}

// through makes a client use a proxy.
func through(proxy string) func(*Options) {
	return func(o *Options) {
		u, _ := url.Parse(proxy)
		o.Proxy = http.ProxyURL(u)
	}
}

func keepAlive(o *Options) { o.KeepAlive = true }

func keepHTTP2(o *Options) { o.KeepAlive, o.HTTP2 = true, true }
