package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sync/errgroup"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// serveOn runs [Serve] on listeners until cancel is called. Then wait waits for its end.
func serveOn(t *testing.T, listeners []net.Listener, h http.Handler, webConfig string) (cancel, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listeners, h, webFlags(webConfig), slog.New(slog.NewTextHandler(canary.NewLog(t), nil)))
	}()
	return cancel, func() {
		t.Helper()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

// TestDrain is that the exporter answers scrapes under way on new and kept connections, and the
// first request of each connection, before it ends. It accepts no new connection.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: validResults(10), gate: make(chan struct{})}
		s := newPipeServer(t, newHandler(t, f), "")
		for range 2 { // the second time on the kept connections of the first
			first, second := s.begin(t, http.MethodGet, "/metrics"), s.begin(t, http.MethodGet, "/metrics")
			synctest.Wait()
			f.gate <- struct{}{}
			f.gate <- struct{}{}
			(<-first.answer).want(t, http.StatusOK)
			(<-second.answer).want(t, http.StatusOK)
			synctest.Wait()
		}
		scrapes := []pending{s.begin(t, http.MethodGet, "/metrics"), s.begin(t, http.MethodGet, "/metrics"), s.begin(t, http.MethodGet, "/metrics")}
		synctest.Wait()
		if n := s.dials.Load(); n != 3 {
			t.Errorf("there are %d connections, want two kept ones and a new one", n)
		}
		slow := make(chan conversation)
		go func() {
			slow <- s.talk(t, saying(firstRequestTimeout/2, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n", "\r\n"), 0)
		}()
		synctest.Wait()
		s.stop()
		if got := <-slow; !strings.HasPrefix(got.answer, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("a connection whose first request came slowly got %.100q", got.answer)
		}
		select {
		case <-s.ended:
			t.Fatal("Serve has ended before its scrapes")
		default:
		}
		if _, err := try(t.Context(), t, s.client, http.MethodGet, "http://localhost/metrics"); err == nil {
			t.Error("a new connection was accepted")
		}
		close(f.gate)
		for _, p := range scrapes {
			got := <-p.answer
			got.want(t, http.StatusOK, playout)
			if n := len(got.series(t, "hmp_up")); n != 10 {
				t.Errorf("the answer has %d sessions, want all 10", n)
			}
		}
		<-s.ended
	})
}

// A gatedListener accepts nothing until its gate is closed. The kernel accepts meanwhile.
type gatedListener struct {
	*net.TCPListener
	gate <-chan struct{}
}

func (g gatedListener) Accept() (net.Conn, error) {
	<-g.gate
	return g.TCPListener.Accept()
}

// TestDrainOfTheBacklog has clients connect to an exporter that must end before it has accepted
// them. They get their answers. Later clients are refused.
func TestDrainOfTheBacklog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	cancel, wait := serveOn(t, []net.Listener{gatedListener{l.(*net.TCPListener), gate}}, newHandler(t, &fake{results: validResults(10)}), "")
	var clients errgroup.Group
	for range 100 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		saying(0, request("GET", "/probe?target=studio"))(conn)
		clients.Go(func() error {
			answer, err := io.ReadAll(conn)
			if !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(answer), playout) {
				t.Errorf("a client got %.100q", answer)
			}
			return err
		})
	}
	cancel()
	close(gate)
	if err := clients.Wait(); err != nil {
		t.Error(err)
	}
	wait()
	if conn, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		conn.Close()
		t.Error("a new connection was accepted")
	}
}

// A fullListener has no file descriptor for a connection.
type fullListener struct {
	*hmpsim.PipeListener
	full atomic.Bool
}

func (l *fullListener) Accept() (net.Conn, error) {
	if l.full.Load() {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.PipeListener.Accept()
}

// TestNoDescriptors is that an exporter that cannot accept connections says so once a minute,
// with what to do, and accepts again when it can.
func TestNoDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := canary.NewLog(t)
		l := &fullListener{PipeListener: hmpsim.ListenPipe()}
		l.full.Store(true)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			logger := slog.New(slog.NewTextHandler(logged, nil)) // no debug messages
			ended <- Serve(ctx, []net.Listener{l}, newHandler(t, &fake{results: validResults(1)}), webFlags(""), logger)
		}()
		time.Sleep(150 * time.Second) // of the fake clock
		l.full.Store(false)
		client := newClient(t, l.DialContext)
		do(t, client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
		client.CloseIdleConnections()
		if n := strings.Count(logged.String(), "level=WARN"); n != 3 {
			t.Errorf("the log has %d warnings in two and a half minutes, want 3", n)
		}
		for _, want := range []string{"raise the limit of open files", "too many open files"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, logged)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// TestServeFails is that a listener that fails ends the others.
func TestServeFails(t *testing.T) {
	listeners, err := Listen(webFlags("", "127.0.0.1:0", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners[1].Close()
	err = Serve(t.Context(), listeners, newHandler(t, new(fake)), webFlags(""), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "use of closed network connection") {
		t.Errorf("got %v, want that the second listener is closed", err)
	}
	if _, err := net.Dial("tcp", listeners[0].Addr().String()); err == nil {
		t.Error("the first listener is still open")
	}
}

func TestListenErrors(t *testing.T) {
	t.Setenv("LISTEN_PID", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := func(name, text string) string {
		exportertest.WriteFile(t, filepath.Join(dir, name), text)
		return filepath.Join(dir, name)
	}
	for _, c := range []struct {
		name, webConfig, address string
		want                     string // in the error
	}{
		{"port in use", "", taken.Addr().String(), `failed to listen on "` + taken.Addr().String() + `": listen tcp ` + taken.Addr().String() + ": bind: address already in use; choose another with --web.listen-address"},
		{"no port", "", "127.0.0.1", `failed to listen on "127.0.0.1": listen tcp: address 127.0.0.1: missing port in address; choose another`},
		{"port out of range", "", "127.0.0.1:70000", `failed to listen on "127.0.0.1:70000": listen tcp: address 70000: invalid port; choose another`},
		{"vsock without port", "", "vsock://", `failed to listen on "vsock://": `},
		{"no web configuration", dir + "/missing.yml", "", "failed to load the web configuration " + dir + "/missing.yml: open "},
		{"unknown field", file("field.yml", "tls: {}\n"), "", "failed to load the web configuration " + dir + "/field.yml: yaml: "},
		{"certificate without key", file("cert.yml", "tls_server_config: {cert_file: cert.pem}\n"), "", "cert.yml: missing one of key or key_file"},
		{"missing certificate", file("none.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"), "", "cert.pem: no such file"},
		{"key in another field", file("key.yml", "tls_server_config: {prefer_server_cipher_suites: CANARY}\n"), "", "key.yml: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str into bool"},
		{"key with quotes", file("quotes.yml", "tls_server_config: {prefer_server_cipher_suites: \"`\\nCANARY\"}\n"), "", "cannot unmarshal !!str into bool"},
		{"key as an alias", file("alias.yml", "tls_server_config: {key: *CANARY}\n"), "", "alias.yml: yaml: unknown anchor referenced"},
		{"password in clear", file("clear.yml", "basic_auth_users: {prometheus: "+strings.Repeat("CANARY", 10)+"}\n"), "", "clear.yml: crypto/bcrypt: bcrypt hashes must start with '$'; make the hash with "},
		{"no socket", "", "systemd", "systemd handed over no socket: start through a .socket unit, or leave --web.systemd-socket out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			first := free.Addr().String()
			_ = free.Close()
			flags := webFlags(c.webConfig, first, c.address)
			*flags.WebSystemdSocket = c.address == "systemd"
			listeners, err := Listen(flags)
			if err == nil || len(listeners) > 0 || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%d listeners, %v,\nwant %s", len(listeners), err, c.want)
			}
			canary.Check(t, "the error", err.Error())
			again, err := net.Listen("tcp", first)
			if err != nil {
				t.Fatalf("the first listener is still open: %v", err)
			}
			_ = again.Close()
		})
	}
}

// TestURL is the address that a browser on this machine can open.
func TestURL(t *testing.T) {
	webConfig, _ := secured(t)
	addr := &net.TCPAddr{IP: net.IPv6loopback, Port: 80}
	if got := URL(addressed{addr: addr}, webFlags(webConfig)); got != "https://[::1]:80" {
		t.Errorf("with TLS: got %s", got)
	}
	for want, addr := range map[string]net.Addr{
		"http://localhost:10042":   &net.TCPAddr{IP: net.IPv6zero, Port: 10042},
		"http://192.0.2.1:80":      &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80},
		"http://[fe80::1%eth0]:80": &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 80},
		"/run/hmp_exporter.sock":   &net.UnixAddr{Name: "/run/hmp_exporter.sock", Net: "unix"},
	} {
		if got := URL(addressed{addr: addr}, webFlags("")); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

type addressed struct {
	net.Listener
	addr net.Addr
}

func (a addressed) Addr() net.Addr { return a.addr }

const password = canary.Word + "-password"

var basicAuth = "Basic " + base64.StdEncoding.EncodeToString([]byte("prometheus:"+password))

// secured writes a web configuration with TLS and a user, and returns it with the TLS of a
// client.
func secured(t *testing.T) (webConfig string, client *tls.Config) {
	t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	exportertest.WriteFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	webConfig = filepath.Join(dir, "web.yml")
	exportertest.WriteFile(t, webConfig, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: "+string(hash)+"}\n")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	now := time.Now() // certificates do not follow a fake clock
	return webConfig, &tls.Config{RootCAs: roots, ServerName: "localhost", Time: func() time.Time { return now }}
}

// TestSecured is that a web configuration applies to every listener, with and without HTTP/2.
func TestSecured(t *testing.T) {
	webConfig, clientTLS := secured(t)
	listeners, err := Listen(webFlags(webConfig, "127.0.0.1:0", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	cancel, wait := serveOn(t, listeners, newHandler(t, &fake{results: validResults(1)}), webConfig)
	for _, l := range listeners {
		for _, http2 := range []bool{false, true} {
			client := newClient(t, nil)
			client.Transport.(*http.Transport).TLSClientConfig = clientTLS.Clone()
			client.Transport.(*http.Transport).ForceAttemptHTTP2 = http2
			address := l.Addr().String()
			do(t, client, http.MethodGet, "https://"+address+"/metrics", "Authorization", basicAuth).want(t, http.StatusOK, playout)
			do(t, client, http.MethodGet, "https://"+address+"/metrics").want(t, http.StatusUnauthorized)
			do(t, client, http.MethodGet, "http://"+address+"/-/healthy").want(t, http.StatusBadRequest, "Client sent an HTTP request to an HTTPS server.")
			client.CloseIdleConnections()
		}
	}
	cancel()
	wait()
}

// TestSecuredHostile is that TLS, a password and HTTP/2 let no client hold a connection or a
// place for longer than plain HTTP does, nor hold up the end of the exporter.
func TestSecuredHostile(t *testing.T) {
	const goodbye = 5 * time.Second // crypto/tls waits so long for a client that does not read
	webConfig, clientTLS := secured(t)
	const stranger = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
	friend := stranger + "Authorization: " + basicAuth + "\r\n"
	for _, c := range []struct {
		name, say string
		within    time.Duration // the connection is closed; 0 if the client does not read
		answer    string        // how it begins
	}{
		{"nothing", "", headerTimeout, ""},
		{"half a request", "GET /met", headerTimeout, "HTTP/1.1 400"},
		{"no end of the header", friend, headerTimeout, ""},
		{"a body that does not come", friend + "Content-Length: 10\r\n\r\n", bodyTimeout, "HTTP/1.1 413 "},
		{"a body that does not come, from a stranger", stranger + "Content-Length: 10\r\n\r\n", writeTimeout, ""},
		{"half a chunk, from a stranger", stranger + "Transfer-Encoding: chunked\r\n\r\n5\r\na", writeTimeout, ""},
		{"nonsense, unread", "nonsense\r\n\r\n", 0, ""},
		{"a scrape, unread", friend + "\r\n", 0, ""},
		{"a scrape of a stranger, unread", stranger + "\r\n", 0, ""},
		{"a body that does not come, unread", friend + "Content-Length: 10\r\n\r\n", 0, ""},
		{"a body of a stranger that does not come, unread", stranger + "Content-Length: 10\r\n\r\n", 0, ""},
	} {
		for _, end := range []bool{false, true} {
			if c.within == 0 && !end {
				continue
			}
			name := c.name
			if end {
				name += ", at the end"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newPipeServer(t, newHandler(t, &fake{results: validResults(1)}, maxRequests(1)), webConfig)
					conn := dialTLS(t, s, clientTLS)
					defer conn.NetConn().Close()
					_ = conn.SetReadDeadline(time.Now().Add(time.Hour))
					start := time.Now()
					saying(0, c.say)(conn)
					answer := make(chan string, 1)
					if c.within > 0 {
						go func() {
							text, _ := io.ReadAll(conn)
							answer <- string(text)
						}()
					}
					if end {
						synctest.Wait()
						s.stop()
						<-s.ended
						if took := time.Since(start); took > writeTimeout+goodbye+time.Second {
							t.Errorf("it took %v to end, want %v at most", took, writeTimeout+goodbye)
						}
						return
					}
					if text := <-answer; !strings.HasPrefix(text, c.answer) {
						t.Errorf("the answer is %.100q, want %q", text, c.answer)
					}
					if took := time.Since(start); took > c.within+2*time.Second {
						t.Errorf("the connection was open for %v, want %v at most", took, c.within)
					}
				})
			})
		}
	}
	t.Run("no handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			newPipeServer(t, newHandler(t, new(fake)), webConfig).talk(t, saying(0, "\x16\x03\x01"), 0).within(t, headerTimeout)
		})
	})
}

func dialTLS(t *testing.T, s *pipeServer, c *tls.Config) *tls.Conn {
	t.Helper()
	conn := tls.Client(s.dial(t), c)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestSlowReaderOfHTTP2 has a scraper ask again and again on one connection and read nothing.
// The deadlines of its streams do not bound the writes to the connection.
func TestSlowReaderOfHTTP2(t *testing.T) {
	webConfig, clientTLS := secured(t)
	synctest.Test(t, func(t *testing.T) {
		s := newPipeServer(t, newHandler(t, &fake{results: validResults(1)}, maxRequests(1)), webConfig)
		reader := clientTLS.Clone()
		reader.NextProtos = []string{"h2"}
		conn := dialTLS(t, s, reader)
		defer conn.NetConn().Close()
		go func() {
			_, _ = io.WriteString(conn, http2.ClientPreface)
			framer := http2.NewFramer(conn, conn)
			_ = framer.WriteSettings()
			for stream := uint32(1); stream < 100; stream += 2 {
				if framer.WriteHeaders(http2.HeadersFrameParam{
					StreamID: stream, BlockFragment: scrapeHeader(), EndStream: true, EndHeaders: true,
				}) != nil {
					return // it has been cut off
				}
			}
		}()
		synctest.Wait()
		time.Sleep(writeTimeout + 10*time.Second) // of the fake clock
		s.client.Transport.(*http.Transport).TLSClientConfig = clientTLS
		do(t, s.client, http.MethodGet, "https://localhost/metrics", "Authorization", basicAuth).want(t, http.StatusOK, playout)
		s.client.CloseIdleConnections()
		start := time.Now()
		s.stop()
		<-s.ended
		if took := time.Since(start); took > 2*writeTimeout {
			t.Errorf("it took %v to end", took)
		}
	})
}

func scrapeHeader() []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	for _, field := range [][2]string{
		{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/metrics"}, {"authorization", basicAuth},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	return b.Bytes()
}
