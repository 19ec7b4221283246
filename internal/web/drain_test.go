package web

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// TestDrain is that the exporter answers scrapes under way and the first request of each
// connection before it ends. It accepts no new connection.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: validResults(10), gates: map[string]chan struct{}{"": make(chan struct{})}}
		s := newPipeServer(t, newHandler(t, f), "", nil)
		scrape := s.begin(http.MethodGet, "/metrics")
		slow := make(chan conversation)
		go func() {
			slow <- talk(t, s.dial(nil), saying(firstRequestTimeout/2, "POST /retry-login?target=studio&session=playout HTTP/1.1\r\nHost: localhost\r\n", "\r\n"), 0)
		}()
		synctest.Wait()
		s.stop()
		if got := <-slow; !strings.HasPrefix(got.answer, "HTTP/1.1 303 See Other\r\n") {
			t.Errorf("a connection whose first request came slowly got %.100q", got.answer)
		}
		if _, err := s.try(t.Context(), http.MethodGet, "/metrics"); err == nil {
			t.Error("a new connection was accepted")
		}
		select {
		case <-s.ended:
			t.Fatal("Serve has ended before its scrape")
		default:
		}
		close(f.gates[""])
		got := <-scrape.answer
		if n := len(got.series(t, "hmp_session_valid")); n != 10 {
			t.Errorf("the answer has %d sessions, want all 10", n)
		}
		<-s.ended
	})
}

// A lateListener accepts nothing until the exporter must end. The kernel accepts meanwhile.
type lateListener struct {
	*net.TCPListener
	once   sync.Once
	ending chan struct{} // closed by the first deadline or Close
}

func (l *lateListener) Accept() (net.Conn, error) {
	<-l.ending
	return l.TCPListener.Accept()
}

func (l *lateListener) SetDeadline(d time.Time) error {
	l.once.Do(func() { close(l.ending) })
	return l.TCPListener.SetDeadline(d)
}

func (l *lateListener) Close() error {
	l.once.Do(func() { close(l.ending) })
	return l.TCPListener.Close()
}

// TestDrainOfTheBacklog has clients connect to an exporter that must end before it has accepted
// them. They get their answers. Later clients are refused.
func TestDrainOfTheBacklog(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lateListener{TCPListener: tcp.(*net.TCPListener), ending: make(chan struct{})}
	stop, ended := serveOn(t, newHandler(t, &fake{results: validResults(1)}), "", canary.NewLog(t), l)
	var conns []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		saying(0, request("/probe?target=studio"))(conn)
		conns = append(conns, conn)
	}
	stop()
	<-ended
	for _, conn := range conns {
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(answer), playout) {
			t.Errorf("a client got %.100q, %v", answer, err)
		}
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
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
		serveOn(t, newHandler(t, &fake{results: validResults(1)}), "", logged, l)
		time.Sleep(150 * time.Second) // of the fake clock
		l.full.Store(false)
		conn, err := l.DialContext(t.Context(), "tcp", "localhost:80")
		if err != nil {
			t.Fatal(err)
		}
		if got := talk(t, conn, once("/metrics"), 0); !strings.Contains(got.answer, playout) {
			t.Errorf("the answer is %.100q", got.answer)
		}
		if n := strings.Count(logged.String(), "raise the limit of open files"); n != 3 || !strings.Contains(logged.String(), "too many open files") {
			t.Errorf("the log has %d warnings in two and a half minutes, want 3:\n%s", n, logged)
		}
	})
}
