package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/canary"
)

// headerTimeout is the time for the header of a request.
const headerTimeout = 10 * time.Second

// hostileRequests are requests that a scraper has no reason to make. No answer comes later than
// within (of the fake clock). Status 0 is a closed connection without an answer.
var hostileRequests = []struct {
	name   string
	say    func(io.Writer)
	status int
	within time.Duration
}{
	{"nothing", saying(0), 0, headerTimeout},
	{"half a request line", saying(0, "GET /met"), 400, headerTimeout},
	{"no end of the header", saying(0, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"), 0, headerTimeout},
	{"a byte a second", forever(time.Second, "GET /metrics HTTP/1.1\r\nA: ", "a"), 0, headerTimeout},
	{"a header line a second", forever(time.Second, "GET /metrics HTTP/1.1\r\n", "A: b\r\n"), 0, headerTimeout},
	{"endless header lines", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\n", strings.Repeat("A: b\r\n", 100)), 431, time.Second},
	{"an endless header line", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\nA: ", kilobyte), 431, time.Second},
	{"an endless request line", forever(time.Millisecond, "GET /", kilobyte), 431, time.Second},
	{"a header of 1 MB", once("GET", "/", "A: "+strings.Repeat(markup, 50_000)+"\r\n"), 431, time.Second},
	{"a parameter of 1 MB", once("GET", "/probe?target="+strings.Repeat(kilobyte, 1000)), 431, time.Second},
	{"endless empty lines", forever(time.Millisecond, "", "\r\n"), 400, time.Second},
	{"markup", saying(0, markup+"\r\n\r\n"), 400, time.Second},
	{"HTTP/2 without TLS", saying(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 413, time.Second},
	{"TLS", saying(0, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\x00", 512)), 400, headerTimeout},

	{"header without a colon", once("GET", "/metrics", markup+"\r\n"), 400, time.Second},
	{"broken escape", once("GET", "/%zz"), 400, time.Second},
	{"expectation", once("GET", "/-/healthy", "Expect: "+markup+"\r\n"), 417, time.Second},
	{"upgrade to HTTP/2", once("GET", "/-/healthy", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), 200, time.Second},
	{"ranges", once("GET", "/config", "Range: bytes=0-0,0-0,0-0\r\n"), 200, time.Second},
	{"another method in a header", once("GET", "/-/reload", "X-HTTP-Method-Override: POST\r\n"), 405, time.Second},

	{"whole body", saying(0, request("GET", "/metrics", "Content-Length: 10\r\n"), "0123456789"), 413, bodyLimit},
	{"body in pieces", saying(time.Second, request("GET", "/metrics", "Content-Length: 3\r\n"), "0", "1", "2"), 413, bodyLimit},
	{"chunks", saying(time.Second, request("GET", "/metrics", chunked), "3\r\nabc\r\n", "0\r\n\r\n"), 413, bodyLimit},
	{"announced body", saying(time.Second, request("GET", "/metrics", "Content-Length: 10\r\nExpect: 100-continue\r\n"), "0123456789"), 413, bodyLimit},
	{"announced body that does not come", saying(0, request("GET", "/metrics", "Content-Length: 10\r\nExpect: 100-continue\r\n")), 413, bodyLimit},
	{"large body that does not come", saying(0, request("GET", "/metrics", "Content-Length: 1000000000000\r\n")), 413, bodyLimit},
	{"body of a byte a second", forever(time.Second, request("GET", "/metrics", "Content-Length: 1000\r\n"), "a"), 413, bodyLimit},
	{"a chunk a second", forever(time.Second, request("GET", "/metrics", chunked), "1\r\na\r\n"), 413, bodyLimit},
	{"endless chunks", forever(time.Millisecond, request("GET", "/metrics", chunked), "400\r\n"+kilobyte+"\r\n"), 413, bodyLimit},
	{"endless trailer", forever(time.Millisecond, request("GET", "/metrics", chunked)+"0\r\n", strings.Repeat("A: b\r\n", 100)), 413, bodyLimit},
	{"endless chunk extension", forever(time.Millisecond, request("GET", "/metrics", chunked)+"1;", kilobyte), 413, bodyLimit},
	{"two lengths", once("GET", "/-/healthy", "Content-Length: 3\r\nContent-Length: 4\r\n"), 400, time.Second},
	{"length and chunks", saying(0, request("GET", "/-/healthy", "Content-Length: 100\r\n", chunked), "0\r\n\r\n"), 413, bodyLimit},
	{"unknown encoding", once("GET", "/-/healthy", "Transfer-Encoding: "+markup+"\r\n"), 501, time.Second},

	{"CONNECT", saying(0, "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n"+readyAndClose), 405, time.Second},
	{"TRACE", once("TRACE", "/metrics", "Cookie: "+markup+"\r\n"), 405, time.Second},

	{"absolute URL", once("GET", "http://a:b@evil.example/-/healthy"), 200, time.Second},
	{"absolute URL to clean", once("GET", "http://evil.example//metrics"), 307, time.Second},
	{"absolute URL without a path", once("GET", "http://evil.example"), 307, time.Second},
	{"two slashes", once("GET", "//metrics", "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n"), 307, time.Second},
	{"host after slashes", once("GET", "//evil.example/../metrics"), 307, time.Second},
	{"host after many slashes", once("GET", "/////evil.example//..//probe"), 307, time.Second},
	{"host after a backslash", once("GET", `/\evil.example/..//metrics`), 307, time.Second},
	{"host after an encoded slash", once("GET", "/%2fevil.example/..//metrics"), 307, time.Second},
	{"host to redirect to", once("GET", "//evil.example/.//"), 307, time.Second},
	{"dots", once("GET", "/../../../../etc/passwd"), 307, time.Second},
	{"encoded dots", once("GET", "/%2e%2e/config"), 404, time.Second},
	{"encoded slash", once("GET", "/-%2fhealthy"), 404, time.Second},
	{"encoded line break", once("GET", "/%0d%0aSet-Cookie:%20a=b"), 404, time.Second},
	{"encoded line break to clean", once("GET", "//metrics?%0d%0aSet-Cookie:%20a=b"), 307, time.Second},
	{"path parameters", once("GET", "/metrics/..;/config"), 404, time.Second},
	{"markup in the path", once("GET", "/"+markup), 404, time.Second},
	{"markup to redirect", once("GET", `//metrics?">`+markup), 307, time.Second},
	{"path not in UTF-8", once("GET", "/\xff\xfe"), 404, time.Second},
	{"host with markup", saying(0, "GET / HTTP/1.1\r\nHost: "+markup+"\r\n\r\n"), 400, time.Second},
	{"host with quotes", saying(0, "GET / HTTP/1.1\r\nHost: evil.example'onload='x\r\n\r\n"+readyAndClose), 200, time.Second},
}

const (
	markup    = "<script>alert(1)</script>"
	chunked   = "Transfer-Encoding: chunked\r\n"
	bodyLimit = bodyTimeout + time.Second
)

var (
	kilobyte      = strings.Repeat("a", 1<<10)
	readyAndClose = request("GET", "/-/ready", "Connection: close\r\n")
)

// TestHostileRequests has two clients, as many as may scrape at once, make the same request.
// Each gets its answer in time, or none. Afterwards its connection is usable or closed. The
// answer repeats no markup and leads to no other host. Another scrape gets its answer meanwhile.
func TestHostileRequests(t *testing.T) {
	f := &fake{results: validResults(1)}
	handler := newHandler(t, f, maxRequests(2), lifecycle)
	for _, c := range hostileRequests {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newPipeServer(t, handler, "")
				ended := make(chan conversation)
				for range 2 {
					go func() { ended <- s.talk(t, c.say, 0) }()
				}
				synctest.Wait()
				s.get(t, "/metrics").want(t, http.StatusOK, playout)
				for range 2 {
					got := <-ended
					got.within(t, c.within)
					checkHostile(t, got.answer, c.status)
				}
			})
		})
	}
	for _, r := range f.requests {
		if r.Target != "" {
			t.Errorf("somebody probed %q", r.Target)
		}
	}
}

func checkHostile(t *testing.T, text string, status int) {
	t.Helper()
	text = strings.TrimPrefix(text, "HTTP/1.1 100 Continue\r\n\r\n")
	if status == 0 {
		if text != "" {
			t.Errorf("there is an answer: %.300q", text)
		}
		return
	}
	answers := bufio.NewReader(strings.NewReader(text))
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("%v: %.300q", err, text)
	}
	closes := resp.Close
	first := read(t, resp)
	first.want(t, status)
	links := first.header.Values("Location")
	kind := first.header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/html") && status == http.StatusOK {
		links = append(links, first.page(t).links()...)
	}
	if strings.Contains(first.body, markup) || kind == "" && first.body != "" {
		t.Errorf("a browser could take this for a page: %s: %.300q", kind, first.body)
	}
	for _, link := range links {
		if u, err := url.Parse(link); err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(link, "//") || strings.Contains(link, `\`) {
			t.Errorf("it leads to %q", link)
		}
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} {
		if value := first.header.Get(name); value != "" {
			t.Errorf("somebody has set %s: %s", name, value)
		}
	}
	if !closes {
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("the connection is of no use afterwards: %v", err)
		}
		read(t, resp).want(t, http.StatusOK, "hmp_exporter is ready.\n")
	}
	if rest, _ := io.ReadAll(answers); len(rest) != 0 {
		t.Errorf("then came %.300q", rest)
	}
}

// TestIdleConnection is that a kept connection is closed after five minutes, also if half a
// request has come.
func TestIdleConnection(t *testing.T) {
	const idle = 5 * time.Minute
	for _, more := range []string{"", "GET /met"} {
		t.Run(more, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newPipeServer(t, newHandler(t, new(fake)), "")
				got := s.talk(t, saying(time.Minute, request("GET", "/-/healthy"), more), 0)
				got.within(t, idle)
				if more == "" && got.took < idle {
					t.Errorf("it was closed after %v, want %v: scrapes are apart", got.took, idle)
				}
			})
		})
	}
}

// TestSlowReaders has two clients, as many as may scrape at once, read a byte a second. They
// are cut off in time. Other requests are answered meanwhile, and scrapes again afterwards.
func TestSlowReaders(t *testing.T) {
	for path, status := range map[string]int{
		"/metrics": http.StatusServiceUnavailable, "/probe?target=studio": http.StatusServiceUnavailable, "/": http.StatusOK,
	} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newPipeServer(t, newHandler(t, &fake{results: validResults(100)}, maxRequests(2)), "")
				ended := make(chan conversation)
				for range 2 {
					go func() { ended <- s.talk(t, saying(0, request("GET", path)), time.Second) }()
				}
				time.Sleep(writeTimeout - time.Second) // of the fake clock
				s.get(t, path).want(t, status)
				s.get(t, "/-/healthy").want(t, http.StatusOK)
				for range 2 {
					got := <-ended
					got.within(t, writeTimeout+time.Second)
				}
				synctest.Wait()
				s.get(t, path).want(t, http.StatusOK)
			})
		})
	}
}

// TestScrapersHangUp is that a scraper that goes during its answer frees its place at once.
func TestScrapersHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipeServer(t, newHandler(t, &fake{results: validResults(100)}, maxRequests(2)), "")
		for range 20 {
			conn := s.dial(t)
			saying(0, request("GET", "/metrics"))(conn)
			if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			synctest.Wait()
		}
		s.get(t, "/metrics").want(t, http.StatusOK, playout)
	})
}

// A conversation is all that a server sent before it closed the connection.
type conversation struct {
	answer string
	took   time.Duration // of the fake clock
}

// talk connects, sends what say writes, and reads until the server closes the connection. With
// a pace it reads a byte in each.
func (s *pipeServer) talk(t *testing.T, say func(io.Writer), pace time.Duration) conversation {
	t.Helper()
	conn := s.dial(t)
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

func request(method, path string, header ...string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, path, strings.Join(header, ""))
}

// once writes a request, and a second one that shows that the connection is still usable.
func once(method, path string, header ...string) func(io.Writer) {
	return saying(0, request(method, path, header...)+readyAndClose)
}
