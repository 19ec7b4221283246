package hmp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

// With keep_alive, no exchange ends another: where HMP answers some with an error, all
// others go on as if nothing were, logins too.
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

// size is how many connections are kept.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.kept)
}

// A connection on which an exchange failed starts no new one, also while others use it.
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

// An HMP that goes on sending on a connection that nobody uses is cut off.
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

// pingsAfterAnswer answers one request of HTTP/2 and then sends a PING after the other.
// It returns how many were answered.
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

// The result is that of the last attempt: after a dead kept connection, what becomes of
// the new one.
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

// Behind a proxy of https, the first handshake is the proxy's.
func TestProxyWithTLS(t *testing.T) {
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(100 * time.Hour).Truncate(time.Second)
	own, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end})
	if err != nil {
		t.Fatal(err)
	}
	proxys, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end.Add(-90 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	strangers, _, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	start := func(c tls.Certificate, h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	hmp := start(own, answer(200, `{"data":{}}`))
	through := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tunnel(w, r.Host) })
	for _, tt := range []struct {
		name, url   string
		proxy       *httptest.Server
		want        Result
		certificate time.Time
		reason      string
	}{
		{"it connects", hmp.URL, start(proxys, through), Valid, end, ""},
		{"it forwards to an http HMP", "http://hmp.example", start(proxys, answer(200, `{"data":{}}`)), Valid, time.Time{}, ""},
		{"it refuses", hmp.URL, start(proxys, answer(403, "no")), Connect, time.Time{}, "403"},
		{"it wants a password", hmp.URL, start(proxys, answer(407, "no")), Connect, time.Time{}, "proxy_url"},
		{"nobody knows its authority", hmp.URL, start(strangers, through), TLS, time.Time{}, "with the proxy"},
		{"it does not speak TLS", hmp.URL, httptest.NewServer(through), TLS, time.Time{}, "with the proxy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer tt.proxy.Close()
			a := ask(t, tt.url, plenty, func(o *Options) {
				o.TLS = &tls.Config{RootCAs: roots}
				u, _ := url.Parse(tt.proxy.URL)
				u.Scheme = "https"
				o.Proxy = http.ProxyURL(u)
			})
			if a.Result != tt.want || !a.CertificateExpiry.Equal(tt.certificate) {
				t.Errorf("got %s and a certificate that ends at %v, want %s and %v", a.Result, a.CertificateExpiry, tt.want, tt.certificate)
			}
			if !strings.Contains(a.Reason, tt.reason) || strings.Contains(a.Reason, "ca_file") {
				t.Errorf("got reason %q, want one with %q and nothing about the HMP's certificate", a.Reason, tt.reason)
			}
		})
	}
}

// Where a proxy hangs, and where the HMP behind it does, the time belongs to a phase.
func TestPhasesBehindAProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string // to CONNECT
		want   Phases
	}{
		"the proxy hangs":             {"", Phases{Connect: patience}},
		"the HMP's handshake hangs":   {"HTTP/1.1 200 OK\r\n\r\n", Phases{Connect: 3 * time.Second, TLS: patience - 3*time.Second}},
		"the proxy breaks off midway": {"HTTP/1.1 200 ", Phases{Connect: patience}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, _ := url.Parse("https://hmp.example")
				c := NewClient(Options{
					URL: u, TLS: &tls.Config{}, MaxBodySize: 1,
					Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example"}),
					Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
						attemptOf(ctx).mark(connectStart) // as the dialer of net does
						near, far := net.Pipe()
						go func() {
							defer far.Close()
							if _, err := http.ReadRequest(bufio.NewReader(far)); err == nil && tt.answer != "" {
								time.Sleep(3 * time.Second)
								_, _ = io.WriteString(far, tt.answer)
							}
							_, _ = io.Copy(io.Discard, far)
						}()
						return near, nil
					},
				})
				defer c.Close()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)})
				if a.Result != Timeout || a.Phases != tt.want {
					t.Errorf("got %s with %+v, want a timeout with %+v", a.Result, a.Phases, tt.want)
				}
			})
		})
	}
}

// What this side lacks is not said to be the HMP's failure.
func TestShortage(t *testing.T) {
	dialed := func(address string, lack error) error {
		to, _ := net.ResolveTCPAddr("tcp", address)
		return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError("connect", lack)}
	}
	for _, tt := range []struct {
		err    error
		want   Result
		reason string
	}{
		{dialed("127.0.0.1:1", syscall.EMFILE), Saturated, "raise its limit of open files"},
		{dialed("127.0.0.1:1", syscall.ENFILE), Saturated, "fs.file-max"},
		{dialed("127.0.0.1:1", syscall.ENOBUFS), Saturated, "memory"},
		{dialed("127.0.0.1:1", syscall.ENOMEM), Saturated, "memory"},
		{dialed("127.0.0.1:1", syscall.EADDRNOTAVAIL), Saturated, "local port"},
		{dialed("127.0.0.1:1", syscall.EAGAIN), Saturated, "local ports"},
		{dialed("[::1]:1", syscall.EADDRNOTAVAIL), Connect, "cannot assign requested address"}, // there is no IPv6
		{dialed("127.0.0.1:1", syscall.ECONNREFUSED), Connect, "connection refused"},
		{&net.DNSError{Name: "hmp.example", Err: "dial udp 10.0.0.1:53: socket: too many open files"}, Saturated, "raise its limit"},
		{&net.DNSError{Name: "hmp.example", Err: "no such host"}, DNS, "no such host"},
		{errors.New("something else"), Connect, "no connection could be made"},
	} {
		a := ask(t, "http://127.0.0.1:1", plenty, func(o *Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, tt.err }
		})
		if a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) {
			t.Errorf("%v: got %s (%s), want %s with %q", tt.err, a.Result, a.Reason, tt.want, tt.reason)
		}
	}
}

// A certificate is good for as long as what verification used.
func TestCertificateExpiryOfChains(t *testing.T) {
	now := time.Now()
	until := func(hours ...int) (chain []*x509.Certificate) {
		for _, h := range hours {
			chain = append(chain, &x509.Certificate{NotAfter: now.Add(time.Duration(h) * time.Hour)})
		}
		return chain
	}
	refused := &tls.CertificateVerificationError{UnverifiedCertificates: until(5, -1, 9), Err: errors.New("expired")}
	for name, tt := range map[string]struct {
		state tls.ConnectionState
		err   error
		want  int
	}{
		"an expired cross-signature that is not needed": {tls.ConnectionState{PeerCertificates: until(5, -1), VerifiedChains: [][]*x509.Certificate{until(5, 90)}}, nil, 5},
		"two chains":   {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{until(50, 9), until(50, 20), until(50, 10)}}, nil, 20},
		"refused":      {tls.ConnectionState{}, fmt.Errorf("tls: %w", refused), -1},
		"not verified": {tls.ConnectionState{PeerCertificates: until(7, 3)}, nil, 7},
	} {
		if got, want := certificateExpiry(&tt.state, tt.err), now.Add(time.Duration(tt.want)*time.Hour); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// A reason says what to write where that is known.
func TestReasonsThatHelp(t *testing.T) {
	secure := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer secure.Close()
	bare := listen(t, func(c net.Conn) {
		go func() {
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = c.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
			_ = c.Close()
		}()
	})
	server := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	plain := server(answer(200, `{"data":{}}`))
	proxy := func(o *Options) {
		u, _ := url.Parse(server(answer(407, "")))
		o.Proxy = http.ProxyURL(u)
	}
	for name, tt := range map[string]struct {
		url    string
		want   Result
		reason string
		change []func(*Options)
	}{
		"http at a port with TLS that says so": {strings.Replace(secure.URL, "https", "http", 1), HTTPError, "write https:// in `url`", nil},
		"http at a port with TLS that alerts":  {"http://" + bare, Protocol, "write https:// in `url`", nil},
		"https at a port without TLS":          {strings.Replace(plain, "http", "https", 1), TLS, "write http:// in `url`", nil},
		"a compressed body":                    {server(raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")), BadPayload, "Content-Encoding: gzip", nil},
		"407 of a proxy":                       {"http://hmp.example", HTTPError, "the proxy asks for a user and a password", []func(*Options){proxy}},
		"an envelope":                          {server(envelope(400, "030001", "x")), HTTPError, "HMP itself answered: status 400, code 030001", nil},
		"a 403 with an envelope":               {server(envelope(403, "030001", "x")), Unauthorized, "HMP itself answered: status 403, code 030001", nil},
		"a 502":                                {server(answer(502, "<html>")), HTTPError, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, tt.url, plenty, tt.change...)
			if a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) || tt.reason == "" && a.Reason != "" {
				t.Errorf("got %s (%s), want %s with %q", a.Result, a.Reason, tt.want, tt.reason)
			}
			if a.Envelope() != strings.Contains(name, "envelope") {
				t.Errorf("it has HMP's envelope: %t", a.Envelope())
			}
		})
	}
}
