package hmp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"

	"golang.org/x/net/http2"
)

func TestNoExchangeEndsAnother(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			var logins atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					logins.Add(1)
					_, _ = io.Copy(io.Discard, r.Body)
					answer(200, `{"data":{"authToken":"a"}}`)(w, r)
				case strings.HasSuffix(r.Header.Get("Authorization"), "sick"):
					envelope(503, "090002", "No connection to authentication server")(w, r)
				default:
					answer(200, `{"data":{}}`)(w, r)
				}
			}))
			o := Options{KeepAlive: true, HTTP2: http2, MaxBodySize: 1 << 20}
			if s.EnableHTTP2 = http2; http2 {
				s.StartTLS()
				trust(s)(&o)
			} else {
				s.Start()
			}
			defer s.Close()
			o.URL, _ = url.Parse(s.URL)
			c := NewClient(o)
			defer c.Close()

			const sessions, rounds = 300, 4
			ctx, cancel := context.WithTimeout(t.Context(), plenty)
			defer cancel()
			var wrong atomic.Int32
			expect := func(a Answer, want Result) {
				if a.Result != want && wrong.Add(1) < 10 {
					t.Errorf("%s (%s), want %s", a.Result, a.Reason, want)
				}
			}
			places := make(chan struct{}, 64)
			var wg sync.WaitGroup
			for i := range sessions {
				wg.Go(func() {
					for range rounds {
						places <- struct{}{}
						switch i % 3 {
						case 0:
							a, _ := c.Session(ctx, Request{Token: secret.New("sick")})
							expect(a, AuthUnavailable)
						case 1:
							a, _ := c.Session(ctx, Request{Token: secret.New("well")})
							expect(a, Valid)
						case 2:
							a, _ := c.Login(ctx, LoginRequest{Key: secret.New(canaryKey), Secret: secret.New(canarySecret)})
							expect(a, Valid)
						}
						<-places
					}
				})
			}
			wg.Wait()
			if n := wrong.Load(); n > 0 {
				t.Errorf("%d of %d exchanges ended otherwise", n, sessions*rounds)
			}
			if n := logins.Load(); n != sessions/3*rounds {
				t.Errorf("HMP had %d logins, want %d", n, sessions/3*rounds)
			}
			if n := c.pool.size(); n > cap(places) {
				t.Errorf("it keeps %d connections, want %d at most", n, cap(places))
			}
		})
	}
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.kept)
}

func TestFailedConnectionStartsNoExchange(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer slow":
			close(begun)
			<-finish
		case "Bearer sick":
			envelope(500, "070000", "x")(w, r)
			return
		}
		answer(200, `{"data":{}}`)(w, r)
	}))
	s.EnableHTTP2 = true
	s.Config.ConnState = countNew(&connections)
	s.StartTLS()
	defer s.Close()
	u, _ := url.Parse(s.URL)
	o := Options{URL: u, KeepAlive: true, HTTP2: true, MaxBodySize: 1 << 20}
	trust(s)(&o)
	c := NewClient(o)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	ask := func(token string) Result {
		a, _ := c.Session(ctx, Request{Token: secret.New(token)})
		return a.Result
	}
	var slow Result
	var wg sync.WaitGroup
	wg.Go(func() { slow = ask("slow") })
	<-begun
	if got := ask("sick"); got != InternalError || connections.Load() != 1 {
		t.Errorf("got %s on %d connections, want internal_error on the first", got, connections.Load())
	}
	if got := ask("well"); got != Valid || connections.Load() != 2 {
		t.Errorf("got %s on %d connections, want valid on a second one", got, connections.Load())
	}
	close(finish)
	wg.Wait()
	if slow != Valid {
		t.Errorf("the one under way meanwhile is %s", slow)
	}
}

func TestIdleConnectionThatSendsIsClosed(t *testing.T) {
	pings := make(chan int, 1)
	s := httptest.NewUnstartedServer(nil)
	s.TLS = &tls.Config{NextProtos: []string{"h2"}}
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { pings <- pingsAfterAnswer(conn) },
	}
	s.StartTLS()
	defer s.Close()
	u, _ := url.Parse(s.URL)
	o := Options{URL: u, KeepAlive: true, HTTP2: true, MaxBodySize: 1 << 20}
	trust(s)(&o)
	c := NewClient(o)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != Valid {
		t.Fatalf("%+v", a)
	}
	select {
	case n := <-pings:
		if n > 200 {
			t.Errorf("%d PINGs were answered", n)
		}
	case <-ctx.Done():
		t.Error("the connection is still open")
	}
}

func pingsAfterAnswer(conn *tls.Conn) (n int) {
	if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
		return 0
	}
	f := http2.NewFramer(conn, conn)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return n
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
			_ = f.WriteData(frame.StreamID, true, []byte(`{"data":{}}`))
		case *http2.PingFrame:
			n++
		default:
			continue
		}
		_ = f.WritePing(false, [8]byte{})
	}
}

func TestResultIsThatOfTheLastAttempt(t *testing.T) {
	stranger := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer stranger.Close()
	other, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := other.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stranger.TLS.Certificates = []tls.Certificate{certificate}
	for want, second := range map[Result]string{Connect: "127.0.0.1:1", TLS: stranger.Listener.Addr().String()} {
		t.Run(string(want), func(t *testing.T) {
			var requests, dials atomic.Int32
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) > 1 {
					raw("")(w, r)
					return
				}
				answer(200, `{"data":{}}`)(w, r)
			}))
			defer s.Close()
			a, _ := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
				c.Session(ctx, Request{Token: secret.New(canaryToken)})
				return c.Session(ctx, Request{Token: secret.New(canaryToken)})
			}, trust(s), func(o *Options) {
				o.KeepAlive = true
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					if dials.Add(1) > 1 {
						address = second
					}
					return new(net.Dialer).DialContext(ctx, network, address)
				}
			})
			if a.Result != want || strings.Contains(a.Reason, "proxy") || dials.Load() != 2 {
				t.Errorf("got %s (%s) after %d connections, want %s after two", a.Result, a.Reason, dials.Load(), want)
			}
			if a.Phases.Processing <= 0 || a.Phases.Connect <= 0 {
				t.Errorf("the phases do not have both attempts: %+v", a.Phases)
			}
		})
	}
}
