package hmp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

const (
	canaryKey    = canary.Word + "-key-51c2"
	canarySecret = canary.Word + "-secret-90be"
)

// login logs in with the canaries.
func login(ctx context.Context, c *Client) (Answer, secret.Value) {
	return c.Login(ctx, LoginRequest{Key: secret.New(canaryKey), Secret: secret.New(canarySecret)})
}

func TestLoginRequest(t *testing.T) {
	tests := []struct{ name, key, secret, want string }{
		{"plain", canaryKey, canarySecret, `{"apiKey":"CANARY-key-51c2","apiSecret":"CANARY-secret-90be"}`},
		{"quotes", `a"b\c`, "d\ne\tf", `{"apiKey":"a\"b\\c","apiSecret":"d\ne\tf"}`},
		{"HTML", "<a>", "b&c", `{"apiKey":"\u003ca\u003e","apiSecret":"b\u0026c"}`},
		{"beyond ASCII", "ü", "😀", `{"apiKey":"ü","apiSecret":"😀"}`},
		{"empty", "", "", `{"apiKey":"","apiSecret":""}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r
				body, _ = io.ReadAll(r.Body)
				answer(200, `{"data":{"authToken":"CANARY"}}`)(w, r)
			}))
			defer s.Close()
			var status int
			extra := http.Header{
				"X-Tenant": {"a", "b"}, "Authorization": {"Basic x"}, "Content-Type": {"text/plain"},
				"Accept": {"*/*"}, "User-Agent": {"x"}, "Idempotency-Key": {"x"}, "X-Idempotency-Key": {"x"},
			}
			given := extra.Clone()
			a, token := exchange(t, s.URL+"/prefix", plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
				return c.Login(ctx, LoginRequest{Key: secret.New(tt.key), Secret: secret.New(tt.secret), Header: extra, OnResponse: func(s int) { status = s }})
			}, func(o *Options) { o.KeepAlive = true })
			if a.Result != Valid || token != "CANARY" || status != 200 {
				t.Fatalf("got %+v, token %q and status %d", a, token, status)
			}
			if want := "POST /prefix/apis/authentication/login/key"; got.Method+" "+got.RequestURI != want {
				t.Errorf("got %s %s, want %s", got.Method, got.RequestURI, want)
			}
			if string(body) != tt.want || got.ContentLength != int64(len(tt.want)) || got.TransferEncoding != nil {
				t.Errorf("got body %s of length %d, %v, want %s", body, got.ContentLength, got.TransferEncoding, tt.want)
			}
			got.Header.Del("Content-Length")
			want := http.Header{
				"Accept": {"application/json"}, "Accept-Encoding": {"identity"}, "Content-Type": {"application/json"},
				"Idempotency-Key": {"x"}, "X-Idempotency-Key": {"x"},
				"User-Agent": {"hmp_exporter/test"}, "X-Tenant": {"a", "b"},
			}
			if diff := cmp.Diff(want, got.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(given, extra); diff != "" {
				t.Errorf("the caller's header was changed (-was +is):\n%s", diff)
			}
		})
	}
}

// loginAndAsk logs in and asks about the session, on one client.
func loginAndAsk(ctx context.Context, c *Client) (Answer, secret.Value) {
	a, token := login(ctx, c)
	if a.Result == Valid {
		a, _ = c.Session(ctx, Request{Token: token})
	}
	return a, secret.Value{}
}

func TestLoginConnections(t *testing.T) {
	for name, want := range map[string]int32{"kept": 1, "new": 2} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int32
			s := httptest.NewUnstartedServer(answer(200, `{"data":{"authToken":"CANARY"}}`))
			s.Config.ConnState = countNew(&connections)
			s.StartTLS()
			defer s.Close()
			a, _ := exchange(t, s.URL, plenty, loginAndAsk, trust(s), func(o *Options) { o.KeepAlive = name == "kept" })
			if a.Result != Valid || !a.CertificateExpiry.Equal(s.Certificate().NotAfter) {
				t.Errorf("got %+v, want valid and the certificate's expiry", a)
			}
			if n := connections.Load(); n != want {
				t.Errorf("made %d connections, want %d", n, want)
			}
		})
	}
}

// A login that may have reached the HMP is not sent again, also not where net/http
// would repeat a GET: on a kept connection that ends without an answer.
func TestLoginIsNotRepeated(t *testing.T) {
	for _, http2Allowed := range []bool{false, true} {
		var posts atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				answer(200, `{"data":{}}`)(w, r)
				return
			}
			posts.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			raw("")(w, r)
		}))
		a, _ := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
			if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != Valid {
				t.Errorf("GET: %+v", a)
			}
			return c.Login(ctx, LoginRequest{
				Key: secret.New(canaryKey), Secret: secret.New(canarySecret),
				Header: http.Header{"Idempotency-Key": {"x"}, "X-Idempotency-Key": {"x"}},
			})
		}, func(o *Options) { o.KeepAlive, o.HTTP2 = true, http2Allowed })
		if n := posts.Load(); a.Result != Protocol || n != 1 {
			t.Errorf("HTTP/2 allowed %t: got %+v after %d logins, want protocol after one", http2Allowed, a, n)
		}
		s.Close()
	}
}

// A server of HTTP/2 can ask for a request again after it has had all of it.
func TestLoginIsNotRepeatedOnHTTP2(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeRefusedStream} {
		t.Run(code.String(), func(t *testing.T) {
			var posts atomic.Int32
			s := httptest.NewUnstartedServer(nil)
			s.TLS = &tls.Config{NextProtos: []string{"h2"}}
			s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
				"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { refuseStreams(conn, code, &posts) },
			}
			s.StartTLS()
			defer s.Close()
			a, _ := exchange(t, s.URL, plenty, login, trust(s), func(o *Options) { o.KeepAlive, o.HTTP2 = true, true })
			if n := posts.Load(); a.Result != Protocol || n != 1 {
				t.Errorf("got %+v after %d logins, want protocol after one", a, n)
			}
		})
	}
}

// refuseStreams speaks HTTP/2 and counts the requests whose body has ended, which
// it then refuses.
func refuseStreams(conn *tls.Conn, code http2.ErrCode, requests *atomic.Int32) {
	if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
			requests.Add(1)
			_ = framer.WriteRSTStream(data.StreamID, code)
		}
	}
}

// A kept connection that turns out to be dead before a byte of the login is
// written is no reason to fail.
func TestLoginSurvivesAStaleConnection(t *testing.T) {
	var posts, connections atomic.Int32
	var body atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			b, _ := io.ReadAll(r.Body)
			body.Store(string(b))
		}
		answer(200, `{"data":{"authToken":"a"}}`)(w, r)
	}))
	defer s.Close()
	var dead atomic.Bool
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if connections.Add(1) == 1 {
			conn = &cuttableConn{Conn: conn, dead: &dead}
		}
		return conn, err
	}
	a, _ := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != Valid {
			t.Errorf("GET: %+v", a)
		}
		dead.Store(true)
		return login(ctx, c)
	}, func(o *Options) { o.KeepAlive, o.Dial = true, dial })
	if n := posts.Load(); a.Result != Valid || n != 1 || connections.Load() != 2 {
		t.Errorf("got %+v after %d logins on %d connections, want valid after one on the second", a, n, connections.Load())
	}
	if want := `{"apiKey":"CANARY-key-51c2","apiSecret":"CANARY-secret-90be"}`; body.Load() != want {
		t.Errorf("got body %v, want %s", body.Load(), want)
	}
}

// A cuttableConn is a connection that nothing can be written to once it is dead.
type cuttableConn struct {
	net.Conn
	dead *atomic.Bool
}

func (m *cuttableConn) Write(b []byte) (int, error) {
	if m.dead.Load() {
		return 0, errors.New("dead")
	}
	return m.Conn.Write(b)
}
