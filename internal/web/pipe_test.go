package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// A pipeServer runs [Serve] on a network in memory, for a synctest bubble.
type pipeServer struct {
	t      *testing.T
	pipe   *hmpsim.PipeListener
	scheme string
	client *http.Client
	stop   context.CancelFunc
	ended  <-chan struct{} // closed when Serve has returned
}

// newPipeServer serves until stop is called or the test ends. tlsConfig is of the client, if the
// web configuration has TLS.
func newPipeServer(t *testing.T, h http.Handler, webConfig string, tlsConfig *tls.Config) *pipeServer {
	t.Helper()
	s := &pipeServer{t: t, pipe: hmpsim.ListenPipe(), scheme: "http"}
	if tlsConfig != nil {
		s.scheme = "https"
	}
	transport := &http.Transport{DialContext: s.pipe.DialContext, TLSClientConfig: tlsConfig.Clone(), ForceAttemptHTTP2: true}
	s.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.stop, s.ended = serveOn(t, h, webConfig, canary.NewLog(t), s.pipe)
	t.Cleanup(transport.CloseIdleConnections)
	return s
}

// dial returns a connection that the test closes, with TLS unless c is nil.
func (s *pipeServer) dial(c *tls.Config) net.Conn {
	s.t.Helper()
	conn, err := s.pipe.DialContext(s.t.Context(), "tcp", "localhost:80")
	if err == nil && c != nil {
		secured := tls.Client(conn, c)
		conn, err = secured, secured.HandshakeContext(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *pipeServer) get(path string) reply {
	s.t.Helper()
	return s.do(http.MethodGet, path)
}

// do makes a request, with a password if the server has TLS. It fails the test if there is no
// answer.
func (s *pipeServer) do(method, path string) reply {
	s.t.Helper()
	r, err := s.try(s.t.Context(), method, path)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *pipeServer) try(ctx context.Context, method, path string) (reply, error) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.scheme+"://localhost"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.scheme == "https" {
		req.Header.Set("Authorization", basicAuth)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	return read(s.t, resp), nil
}

// A pending is a request under way.
type pending struct {
	cancel context.CancelFunc // hangs up
	answer chan reply         // closed without an answer if the client has hung up
}

func (s *pipeServer) begin(method, path string) pending {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	p := pending{cancel: cancel, answer: make(chan reply, 1)}
	go func() {
		defer close(p.answer)
		if r, err := s.try(ctx, method, path); err == nil {
			p.answer <- r
		}
	}()
	return p
}

// A conversation is all that a server sent before it closed the connection.
type conversation struct {
	answer string
	took   time.Duration // of the fake clock
}

// talk sends what say writes, and reads until the server closes the connection. With a pace it
// reads a byte in each.
func talk(t *testing.T, conn net.Conn, say func(io.Writer), pace time.Duration) conversation {
	t.Helper()
	start := time.Now()
	_ = conn.SetReadDeadline(start.Add(time.Hour))
	said := make(chan struct{})
	go func() {
		defer close(said)
		say(conn)
	}()
	var answer strings.Builder
	piece := make([]byte, 64<<10)
	if pace > 0 {
		piece = piece[:1]
	}
	for {
		n, err := conn.Read(piece)
		answer.Write(piece[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection is still open after an hour")
		}
		if err != nil {
			break
		}
		time.Sleep(pace) // of the fake clock
	}
	took := time.Since(start)
	_ = conn.Close()
	<-said
	canary.Check(t, "an answer", answer.String())
	return conversation{answer.String(), took}
}

func (c conversation) within(t *testing.T, bound time.Duration) {
	t.Helper()
	if c.took > bound {
		t.Errorf("it took %v, want %v at most; the answer was %.200q", c.took, bound, c.answer)
	}
}

// saying writes parts, an interval apart.
func saying(interval time.Duration, parts ...string) func(io.Writer) {
	return func(w io.Writer) {
		for i, part := range parts {
			if i > 0 {
				time.Sleep(interval) // of the fake clock
			}
			if _, err := io.WriteString(w, part); err != nil {
				return
			}
		}
	}
}

// forever writes a part again and again, an interval apart, until the other side closes.
func forever(interval time.Duration, first, again string) func(io.Writer) {
	return func(w io.Writer) {
		for _, err := io.WriteString(w, first); err == nil; {
			time.Sleep(interval) // of the fake clock
			_, err = io.WriteString(w, again)
		}
	}
}

func request(path string, header ...string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, strings.Join(header, ""))
}

// once writes a request, and a second one that shows that the connection is still usable.
func once(path string, header ...string) func(io.Writer) {
	return saying(0, request(path, header...)+readyAndClose)
}
