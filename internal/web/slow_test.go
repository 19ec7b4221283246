package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
)

// A talk is how a client that minds each byte and a server got on.
type talk struct {
	answer string        // all that the server sent before it ended the connection
	took   time.Duration // of the fake clock, until then
}

// talk connects, sends what say writes, reads at the given pace (none: all at once)
// and returns when the server has ended the connection.
func (p *piped) talk(t *testing.T, say func(w io.Writer), pace time.Duration) talk {
	t.Helper()
	conn, err := p.pipe.DialContext(t.Context(), "tcp", "localhost:80")
	if err != nil {
		t.Fatal(err)
	}
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
		var n int
		n, err = conn.Read(piece)
		answer.Write(piece[:n])
		if err != nil {
			break
		}
		time.Sleep(pace) // of the fake clock
	}
	took := time.Since(start)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open after an hour")
	}
	_ = conn.Close()
	<-said
	canary.Check(t, "an answer", answer.String())
	return talk{answer.String(), took}
}

// within checks that the server ended the connection in time.
func (k talk) within(t *testing.T, bound time.Duration) {
	t.Helper()
	if k.took > bound {
		t.Errorf("it took %v, want %v at most; the answer was %.200q", k.took, bound, k.answer)
	}
}

// saying returns what says the parts, an interval apart, if the other side listens.
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

// forever says a part again and again, an interval apart, as long as the other side
// listens.
func forever(interval time.Duration, first, again string) func(io.Writer) {
	return func(w io.Writer) {
		for _, err := io.WriteString(w, first); err == nil; {
			time.Sleep(interval) // of the fake clock
			_, err = io.WriteString(w, again)
		}
	}
}

func request(method, path string, header ...string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, path, strings.Join(header, ""))
}

// serveTwo serves all pages on a network in memory. Two scrapes may be under way at
// once.
func serveTwo(t *testing.T, c Collector) *piped {
	t.Helper()
	file := writeFile(t, t.TempDir(), "hmp.yml", strings.ReplaceAll(fleet, "url: HMP", "url: http://hmp.example"))
	store := config.NewStore(func() (*config.Config, error) { return config.Load(file) }, func(*config.Config) {})
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	return servePiped(t, handlerOf(t, c, maxRequests(2), lifecycle, func(o *Options) {
		o.Store, o.Reload = store, store.Reload
	}))
}

// everyPage is one request for each page, and for none.
var everyPage = []struct {
	method, path string
	status       int
	holds        bool // its answer is too long for a buffer, so that it holds a permit
}{
	{"GET", "/metrics", http.StatusOK, true},
	{"GET", "/probe?target=studio", http.StatusOK, true},
	{"GET", "/probe", http.StatusBadRequest, false},
	{"GET", "/", http.StatusOK, false},
	{"GET", "/config", http.StatusOK, false},
	{"GET", "/style.css", http.StatusOK, false},
	{"GET", "/live.js", http.StatusOK, false},
	{"GET", "/session?target=studio&session=playout", http.StatusOK, false},
	{"GET", "/session", http.StatusBadRequest, false},
	{"POST", "/session?target=studio&session=playout", http.StatusSeeOther, false},
	{"POST", retryOfPlayout, http.StatusSeeOther, false},
	{"GET", "/-/healthy", http.StatusOK, false},
	{"GET", "/-/ready", http.StatusOK, false},
	{"POST", "/-/reload", http.StatusOK, false},
	{"GET", "/nothing", http.StatusNotFound, false},
	{"GET", "//metrics", http.StatusTemporaryRedirect, false},
	{"POST", "/metrics", http.StatusMethodNotAllowed, false},
}

// TestSlowReaders has two scrapers, as many as may be under way, read a byte a
// second. Others are answered meanwhile, if only with a refusal, and afterwards.
func TestSlowReaders(t *testing.T) {
	for _, c := range everyPage {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := serveTwo(t, &fake{results: someResults(100)})
				ended := make(chan talk)
				for range 2 {
					go func() { ended <- p.talk(t, saying(0, request(c.method, c.path)), time.Second) }()
				}
				synctest.Wait()
				if c.holds {
					do(t, p.client, c.method, "http://localhost"+c.path).want(t, http.StatusServiceUnavailable)
				} else {
					do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK)
				}
				do(t, p.client, http.MethodGet, "http://localhost/").want(t, http.StatusOK)
				for range 2 {
					got := <-ended
					got.within(t, writeTimeout+time.Second)
					if len(got.answer) < int(writeTimeout.Seconds())-1 {
						t.Errorf("only %d bytes were sent: %q", len(got.answer), got.answer)
					}
				}
				synctest.Wait()
				do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
			})
		})
	}
}

// TestPipelinedUnread is that who sends requests without end and reads no answer is
// not listened to for long.
func TestPipelinedUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serveTwo(t, &fake{results: someResults(1)})
		conn, err := p.pipe.DialContext(t.Context(), "tcp", "localhost:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		forever(time.Millisecond, "", request("GET", "/metrics"))(conn)
		if took := time.Since(start); took > writeTimeout+time.Second {
			t.Errorf("it took %v, want %v at most", took, writeTimeout)
		}
	})
}

// TestScrapersHangUpInTheAnswer is that a scraper that goes while it is being
// answered gives its permit back at once.
func TestScrapersHangUpInTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serveTwo(t, &fake{results: someResults(100)})
		for range 200 {
			conn, err := p.pipe.DialContext(t.Context(), "tcp", "localhost:80")
			if err != nil {
				t.Fatal(err)
			}
			saying(0, request("GET", "/metrics"))(conn)
			if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			synctest.Wait()
		}
		do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
	})
}
