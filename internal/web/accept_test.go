package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// An exhausted listener has no file descriptor for a connection.
type exhausted struct {
	*hmpsim.PipeListener
	is atomic.Bool
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.is.Load() {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return e.PipeListener.Accept()
}

// TestNoDescriptors is that an exporter which cannot accept says so once a minute, with
// what to do, and accepts again when it can.
func TestNoDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := canary.NewLog(t)
		l := &exhausted{PipeListener: hmpsim.ListenPipe()}
		l.is.Store(true)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			logger := slog.New(slog.NewTextHandler(logged, nil)) // no debug messages
			ended <- Serve(ctx, []net.Listener{l}, handlerOf(t, &fake{results: someResults(1)}), webFlags(""), logger)
		}()
		time.Sleep(150 * time.Second) // of the fake clock
		l.is.Store(false)
		client := newClient(t)
		client.Transport.(*http.Transport).DialContext = l.DialContext
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
