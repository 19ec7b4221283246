package web

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

var basicAuth = base64.StdEncoding.EncodeToString([]byte("prometheus:" + password))

// TestSecuredAndHungUpon is that TLS, a password and HTTP/2 let nobody hold a
// connection or a permit for longer than plain HTTP does.
func TestSecuredAndHungUpon(t *testing.T) {
	webConfig, clientTLS := secured(t)
	clientTLS.ServerName, clientTLS.Time = "localhost", realTime()
	const unauthorized = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
	authorized := unauthorized + "Authorization: Basic " + basicAuth + "\r\n"
	for _, c := range []struct {
		name   string
		say    string
		within time.Duration
		answer string // the beginning of it
	}{
		{"nothing", "", headerTimeout, ""},
		{"no end of the header", authorized, headerTimeout, ""},
		{"a body that does not come", authorized + "Content-Length: 10\r\n\r\n", bodyTimeout + time.Second, "HTTP/1.1 413 "},
		{"a body that does not come, from a stranger", unauthorized + "Content-Length: 10\r\n\r\n", headerTimeout + bodyTimeout, ""},
		{"half a chunk, from a stranger", unauthorized + "Transfer-Encoding: chunked\r\n\r\n5\r\na", headerTimeout + bodyTimeout, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pipe, _, _ := serveSecured(t, webConfig)
				conn := dialTLS(t, pipe, clientTLS)
				defer conn.Close()
				start := time.Now()
				_ = conn.SetReadDeadline(start.Add(time.Hour))
				saying(0, c.say)(conn)
				answer, err := io.ReadAll(conn)
				if took := time.Since(start); took > c.within+time.Second {
					t.Errorf("the connection was open for %v, want %v at most: %v", took, c.within, err)
				}
				if !strings.HasPrefix(string(answer), c.answer) {
					t.Errorf("the answer is %.100q, want %q", answer, c.answer)
				}
			})
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pipe, _, _ := serveSecured(t, webConfig)
			(&piped{pipe: pipe}).talk(t, saying(0, "\x16\x03\x01"), 0).within(t, headerTimeout)
		})
	})
}

// TestNobodyHoldsUpTheEnd is that a program which is told to end does so in time,
// whatever state its connections are in.
func TestNobodyHoldsUpTheEnd(t *testing.T) {
	const goodbye = 5 * time.Second // of crypto/tls, to those who do not even listen to that
	webConfig, clientTLS := secured(t)
	clientTLS.ServerName, clientTLS.Time = "localhost", realTime()
	const stranger = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
	friend := stranger + "Authorization: Basic " + basicAuth + "\r\n"
	for _, c := range []struct {
		name, say string
		reads     bool
	}{
		{"nothing", "", true},
		{"half a request", "GET /met", true},
		{"no request of one who does not read", "nonsense\r\n\r\n", false},
		{"a scrape of one who does not read", friend + "\r\n", false},
		{"a body that does not come", friend + "Content-Length: 10\r\n\r\n", true},
		{"a body that does not come, of one who does not read", friend + "Content-Length: 10\r\n\r\n", false},
		{"a body that does not come, of a stranger", stranger + "Content-Length: 10\r\n\r\n", true},
		{"a body that does not come, of a stranger who does not read", stranger + "Content-Length: 10\r\n\r\n", false},
		{"a scrape of a stranger who does not read", stranger + "\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pipe, stop, ended := serveSecured(t, webConfig)
				conn := dialTLS(t, pipe, clientTLS)
				saying(0, c.say)(conn)
				if c.reads {
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
				synctest.Wait()
				leave := time.AfterFunc(time.Hour, func() { _ = conn.NetConn().Close() })
				defer leave.Stop()
				start := time.Now()
				stop()
				<-ended
				if took := time.Since(start); took > writeTimeout+goodbye+time.Second {
					t.Errorf("it took %v to end, want %v at most", took, writeTimeout+goodbye)
				}
				_ = conn.NetConn().Close()
			})
		})
	}
}

// TestBodyOfHTTP2 is that a body which does not come is refused over HTTP/2 as well.
func TestBodyOfHTTP2(t *testing.T) {
	webConfig, clientTLS := secured(t)
	clientTLS.Time = realTime()
	synctest.Test(t, func(t *testing.T) {
		pipe, _, _ := serveSecured(t, webConfig)
		client := newClient(t)
		transport := client.Transport.(*http.Transport)
		transport.DialContext, transport.TLSClientConfig, transport.ForceAttemptHTTP2 = pipe.DialContext, clientTLS, true
		body, never := io.Pipe()
		defer never.Close()
		ended := make(chan reply)
		start := time.Now()
		go func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/metrics", body)
			if err != nil {
				t.Error(err)
			}
			req.Header.Set("Authorization", "Basic "+basicAuth)
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				close(ended)
				return
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			canary.Check(t, "an answer", string(text))
			ended <- reply{resp.StatusCode, resp.Header, resp.Proto}
		}()
		synctest.Wait()
		do(t, client, http.MethodGet, "https://localhost/metrics", "Authorization", "Basic "+basicAuth).want(t, http.StatusOK, playout)
		got := <-ended
		got.want(t, http.StatusRequestEntityTooLarge, "HTTP/2.0")
		if took := time.Since(start); took > bodyTimeout+time.Second {
			t.Errorf("it took %v, want %v at most", took, bodyTimeout)
		}
	})
}

// serveSecured serves on a network in memory with a web configuration, until stop is
// called or the test ends. One scrape may be under way at once.
func serveSecured(t *testing.T, webConfig string) (pipe *hmpsim.PipeListener, stop func(), ended <-chan struct{}) {
	t.Helper()
	pipe = hmpsim.ListenPipe()
	h := handlerOf(t, &fake{results: someResults(1)}, maxRequests(1))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		logger := slog.New(slog.NewTextHandler(canary.NewLog(t), nil))
		if err := Serve(ctx, []net.Listener{pipe}, h, webFlags(webConfig), logger); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return pipe, stop, done
}

// realTime is for certificates, which know nothing of the fake clock.
func realTime() func() time.Time {
	now := time.Now()
	return func() time.Time { return now }
}

func dialTLS(t *testing.T, pipe *hmpsim.PipeListener, c *tls.Config) *tls.Conn {
	t.Helper()
	plain, err := pipe.DialContext(t.Context(), "tcp", "localhost:443")
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(plain, c)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn
}
