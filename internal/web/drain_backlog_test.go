package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hmp_exporter/internal/canary"
)

// A gated listener accepts nothing until the gate is open, as that of a program
// which gets no time on the processor. The kernel accepts meanwhile.
type gated struct {
	*net.TCPListener
	gate <-chan struct{}
}

func (g gated) Accept() (net.Conn, error) {
	<-g.gate
	return g.TCPListener.Accept()
}

// TestDrainOfTheBacklog has clients connect to a program that is told to end before
// it has accepted them. They are answered, and who comes later is refused.
func TestDrainOfTheBacklog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	h := handlerOf(t, &fake{results: someResults(10)})
	listeners := []net.Listener{gated{l.(*net.TCPListener), gate}}
	go func() { ended <- Serve(ctx, listeners, h, webFlags(""), slog.New(slog.DiscardHandler)) }()

	var clients errgroup.Group
	for range 100 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /probe?target=studio HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		clients.Go(func() error {
			answer, err := io.ReadAll(conn)
			if !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(answer), playout) {
				t.Errorf("a client got %.100q", answer)
			}
			canary.Check(t, "an answer", string(answer))
			return err
		})
	}
	stop()
	close(gate)
	if err := clients.Wait(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if conn, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		conn.Close()
		t.Error("a new connection was accepted")
	}
}
