package hmp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

// TestConnections counts the connections that a sequence of steps makes and leaves open. The
// steps are calls (valid, failing, login, version), a call to a server that fails (lost-login,
// lost-version), what happens to the last connection (closed, stuck), the end of the client,
// and durations.
func TestConnections(t *testing.T) {
	for name, tt := range map[string]struct {
		steps      string
		change     func(*Options)
		made, open int
	}{
		"a new one for each exchange":            {"valid login valid", func(*Options) {}, 3, 0},
		"one for all":                            {"valid login valid", keepAlive, 1, 1},
		"one for all, HTTP/2":                    {"valid login valid", keepHTTP2, 1, 1},
		"a new one after a failure":              {"valid failing valid valid", keepAlive, 2, 1},
		"a new one after a failure, HTTP/2":      {"valid failing valid valid", keepHTTP2, 2, 1},
		"a new one after five minutes":           {"valid 4m valid 1m valid valid", keepAlive, 2, 1},
		"a new one after five minutes, HTTP/2":   {"valid 4m valid 1m valid valid", keepHTTP2, 2, 1},
		"none after five idle minutes":           {"valid 5m", keepAlive, 1, 0},
		"none after five idle minutes, HTTP/2":   {"valid 5m", keepHTTP2, 1, 0},
		"a new one if it was closed":             {"valid closed valid", keepAlive, 2, 1},
		"a new one if it was closed, HTTP/2":     {"valid closed valid", keepHTTP2, 2, 1},
		"a new one if it cannot be written to":   {"valid stuck valid", keepAlive, 2, 1},
		"a login on a new one, as none was sent": {"valid stuck login", keepAlive, 2, 1},
		"no login on a new one, if one was sent": {"valid lost-login", keepAlive, 1, 0},
		"no login on a new one, HTTP/2":          {"valid lost-login", keepHTTP2, 1, 0},
		"a version has one of its own":           {"valid version valid", keepAlive, 2, 1},
		"a version ends no other":                {"valid lost-version valid", keepAlive, 2, 1},
		"a closed client keeps none":             {"end valid valid", keepAlive, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testConnections(t, strings.Fields(tt.steps), tt.change, tt.made, tt.open) })
		})
	}
}

func testConnections(t *testing.T, steps []string, change func(*Options), made, open int) {
	sim := hmpsim.New()
	sim.SetToken("valid", hmpsim.Valid(hmpsim.Session{}))
	sim.SetToken("failing", hmpsim.InternalError("x"))
	certificate, roots := certified(t)
	pipe := hmpsim.ListenPipe()
	server := &http.Server{Handler: sim, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.ServeTLS(pipe, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	var conns []*testConn
	c := newClient(t, "https://localhost", change, func(o *Options) {
		o.TLS = &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12} // which shows what an alert is
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := pipe.DialContext(ctx, network, address)
			conns = append(conns, &testConn{Conn: conn})
			return conns[len(conns)-1], err
		}
	})
	logins := 0
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		var a Answer
		want := Valid
		switch step {
		case "valid":
			a, _ = c.GetSession(ctx, SessionRequest{Token: secret.New("valid")})
		case "failing":
			a, _ = c.GetSession(ctx, SessionRequest{Token: secret.New("failing")})
			want = InternalError
		case "login", "lost-login":
			sim.AddKey(canaryKey, canarySecret, hmpsim.Valid(hmpsim.Session{}))
			if step == "lost-login" {
				sim.AddKey(canaryKey, canarySecret, hmpsim.Reset())
				want = Protocol
			}
			logins++
			a, _ = login(ctx, c)
		case "version", "lost-version":
			if step == "lost-version" {
				sim.SetVersion(hmpsim.Reset())
				want = Protocol
			}
			_, a = c.Version(ctx, SessionRequest{Token: secret.New("valid")})
		case "closed":
			_ = conns[len(conns)-1].Conn.Close()
			want = ""
		case "stuck":
			conns[len(conns)-1].stuck.Store(true)
			want = ""
		case "end":
			c.Close()
			want = ""
		default:
			age, err := time.ParseDuration(step)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(age)
			want = ""
		}
		cancel()
		synctest.Wait()
		if a.Result != want || want != "" && a.CertificateExpiry.IsZero() {
			t.Errorf("%s: got %+v, want %s and the expiry of the certificate", step, a, want)
		}
		if c.options.HTTP2 && a.StatusCode != 0 && a.Exchanges[0].Proto != "HTTP/2.0" {
			t.Errorf("%s: it speaks %s", step, a.Exchanges[0].Proto)
		}
	}
	stillOpen := 0
	for _, conn := range conns {
		if !conn.closed.Load() {
			stillOpen++
		}
	}
	if len(conns) != made || stillOpen != open {
		t.Errorf("%d connections, %d of them open, want %d and %d", len(conns), stillOpen, made, open)
	}
	if n := sim.Stats().POSTs; n != logins {
		t.Errorf("HMP had %d logins, want %d", n, logins)
	}
}

// A testConn is a connection that records when it is closed. If it is stuck, a write fails.
type testConn struct {
	net.Conn
	closed, stuck atomic.Bool
}

func (c *testConn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

func (c *testConn) Write(b []byte) (int, error) {
	switch {
	case c.stuck.Load():
		return 0, errors.New("stuck")
	case b[0] == 0x15: // TLS's close_notify: a pipe has no buffer, so two of them would block each other
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// A server that reads nothing after its answer does not delay the probe. crypto/tls alone would
// wait for five seconds.
func TestStalledServerDoesNotDelayAProbe(t *testing.T) {
	certificate, roots := certified(t)
	answered := make(chan time.Time, 1)
	c := newClient(t, "https://localhost", func(o *Options) {
		o.TLS = &tls.Config{RootCAs: roots}
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe() // it has no buffer
			go func() {
				conn := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}})
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":{}}")
				answered <- time.Now()
			}()
			return client, nil
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	a, _ := session(ctx, c)
	if waited := time.Since(<-answered); a.Result != Valid || waited > 4*time.Second {
		t.Errorf("got %+v and waited for %v, want valid at once", a, waited)
	}
}

// A stuckConn has writes that hang until it is closed, as if a server reads nothing and makes
// crypto/tls answer it.
type stuckConn struct {
	net.Conn
	stuck, closed chan struct{}
	close         sync.Once
}

func (c *stuckConn) Write(b []byte) (int, error) {
	select {
	case <-c.stuck:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return c.Conn.Write(b)
	}
}

func (c *stuckConn) SetWriteDeadline(time.Time) error { return nil }

func (c *stuckConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// A write of crypto/tls that hangs does not hold a probe for ever.
func TestStuckWriteEndsWithTheProbe(t *testing.T) {
	certificate, roots := certified(t)
	c := newClient(t, "https://localhost", func(o *Options) {
		o.TLS = &tls.Config{RootCAs: roots}
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			stuck := &stuckConn{Conn: client, stuck: make(chan struct{}), closed: make(chan struct{})}
			go func() {
				conn := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}})
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				close(stuck.stuck)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n ") // and no end
			}()
			return stuck, nil
		}
	})
	answers := make(chan Answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		a, _ := session(ctx, c)
		answers <- a
	}()
	select {
	case a := <-answers:
		if a.Result != Timeout {
			t.Errorf("got %s, want timeout", a.Result)
		}
	case <-time.After(plenty):
		t.Fatal("the probe does not end")
	}
}

func TestNoRequestBreaksAnother(t *testing.T) {
	for name, change := range map[string]func(*Options){"HTTP/1.1": keepAlive, "HTTP/2": keepHTTP2} {
		t.Run(name, func(t *testing.T) {
			var logins atomic.Int32
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					logins.Add(1)
					answer(200, `{"data":{"authToken":"a"}}`)(w, r)
				case strings.HasSuffix(r.Header.Get("Authorization"), "sick"):
					envelope(503, "090002", "No connection to authentication server")(w, r)
				default:
					answer(200, `{"data":{}}`)(w, r)
				}
			}, func(s *httptest.Server) { s.EnableHTTP2, s.TLS = true, new(tls.Config) })
			c := newClient(t, s.URL, trust(s), change)
			const sessions, rounds, atOnce = 150, 3, 64
			ctx, cancel := context.WithTimeout(t.Context(), plenty)
			defer cancel()
			var wrong atomic.Int32
			places := make(chan struct{}, atOnce)
			var wg sync.WaitGroup
			for i := range sessions {
				call, want := login, Valid
				if i%3 > 0 {
					token := [...]string{1: "sick", 2: "well"}[i%3]
					call = func(ctx context.Context, c *Client) (Answer, secret.Value) {
						return c.GetSession(ctx, SessionRequest{Token: secret.New(token)})
					}
				}
				if i%3 == 1 {
					want = AuthUnavailable
				}
				wg.Go(func() {
					for range rounds {
						places <- struct{}{}
						if a, _ := call(ctx, c); a.Result != want && wrong.Add(1) < 10 {
							t.Errorf("%s (%s), want %s", a.Result, a.Reason, want)
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
			if n := len(c.pool.reusable); n > atOnce {
				t.Errorf("it keeps %d connections, want %d at most", n, atOnce)
			}
		})
	}
}

func TestIdleConnectionThatSendsIsClosed(t *testing.T) {
	pings := make(chan int, 1)
	s := serve(t, nil, func(s *httptest.Server) {
		n := 0
		serveFrames(s, func(f *http2.Framer, frame http2.Frame) {
			switch frame := frame.(type) {
			case *http2.HeadersFrame:
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
				_ = f.WriteData(frame.StreamID, true, []byte(`{"data":{}}`))
			case *http2.PingFrame:
				n++
			default:
				return
			}
			_ = f.WritePing(false, [8]byte{})
		}, func() { pings <- n })
	})
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	if a, _ := session(ctx, newClient(t, s.URL, trust(s), keepHTTP2)); a.Result != Valid {
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

// A server of HTTP/2 can ask for a request again after it has had all of it.
func TestLoginIsNotRepeated(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeRefusedStream} {
		var posts atomic.Int32
		s := serve(t, nil, func(s *httptest.Server) {
			serveFrames(s, func(f *http2.Framer, frame http2.Frame) {
				if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
					posts.Add(1)
					_ = f.WriteRSTStream(data.StreamID, code)
				}
			}, func() {})
		})
		a := exchange(t, s.URL, plenty, login, trust(s), keepHTTP2)
		if n := posts.Load(); a.Result != Protocol || n != 1 {
			t.Errorf("%s: got %+v after %d logins, want protocol after one", code, a, n)
		}
	}
}

// serveFrames makes a server speak HTTP/2. It calls frame for each frame, and closed at the end.
func serveFrames(s *httptest.Server, frame func(*http2.Framer, http2.Frame), closed func()) {
	s.TLS = &tls.Config{NextProtos: []string{"h2"}}
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			defer closed()
			if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
				return
			}
			f := http2.NewFramer(conn, conn)
			_ = f.WriteSettings()
			for {
				next, err := f.ReadFrame()
				if err != nil {
					return
				}
				frame(f, next)
			}
		},
	}
}

func TestResultIsThatOfTheLastAttempt(t *testing.T) {
	untrusted, _ := certified(t)
	other := serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{untrusted}} })
	for want, second := range map[Result]string{Connect: "127.0.0.1:1", TLS: other.Listener.Addr().String()} {
		var requests, dials atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) > 1 {
				raw("")(w, r)
				return
			}
			answer(200, `{"data":{}}`)(w, r)
		}, func(s *httptest.Server) { s.TLS = new(tls.Config) })
		a := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
			session(ctx, c)
			return session(ctx, c)
		}, trust(s), keepAlive, func(o *Options) {
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
	}
}
