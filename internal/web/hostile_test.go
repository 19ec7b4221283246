package web

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
	{"endless header lines", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\n", strings.Repeat("A: b\r\n", 100)), 431, time.Second},
	{"an endless request line", forever(time.Millisecond, "GET /", kilobyte), 431, time.Second},
	{"a parameter of 1 MB", once("/probe?target=" + strings.Repeat(kilobyte, 1000)), 431, time.Second},
	{"markup", saying(0, markup+"\r\n\r\n"), 400, time.Second},
	{"HTTP/2 without TLS", saying(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 413, time.Second},
	{"TLS", saying(0, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\x00", 512)), 400, headerTimeout},

	{"expectation", once("/-/healthy", "Expect: "+markup+"\r\n"), 417, time.Second},
	{"upgrade to HTTP/2", once("/-/healthy", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), 200, time.Second},

	{"chunks", saying(time.Second, request("/metrics", chunked), "3\r\nabc\r\n", "0\r\n\r\n"), 413, bodyLimit},
	{"announced body", saying(time.Second, request("/metrics", "Content-Length: 10\r\nExpect: 100-continue\r\n"), "0123456789"), 413, bodyLimit},
	{"large body that does not come", saying(0, request("/metrics", "Content-Length: 1000000000000\r\n")), 413, bodyLimit},
	{"body of a byte a second", forever(time.Second, request("/metrics", "Content-Length: 1000\r\n"), "a"), 413, bodyLimit},
	{"endless chunks", forever(time.Millisecond, request("/metrics", chunked), "400\r\n"+kilobyte+"\r\n"), 413, bodyLimit},
	{"endless chunk extension", forever(time.Millisecond, request("/metrics", chunked)+"1;", kilobyte), 413, bodyLimit},
	{"two lengths", once("/-/healthy", "Content-Length: 3\r\nContent-Length: 4\r\n"), 400, time.Second},
	{"length and chunks", saying(0, request("/-/healthy", "Content-Length: 100\r\n", chunked), "0\r\n\r\n"), 413, bodyLimit},
	{"unknown encoding", once("/-/healthy", "Transfer-Encoding: "+markup+"\r\n"), 501, time.Second},

	{"CONNECT", saying(0, "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n"+readyAndClose), 405, time.Second},

	{"absolute URL", once("http://a:b@evil.example/-/healthy"), 200, time.Second},
	{"two slashes", once("//metrics", "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n"), 307, time.Second},
	{"host after slashes", once("//evil.example/../metrics"), 307, time.Second},
	{"host after a backslash", once(`/\evil.example/..//metrics`), 307, time.Second},
	{"dots", once("/../../../../etc/passwd"), 307, time.Second},
	{"encoded line break to clean", once("//metrics?%0d%0aSet-Cookie:%20a=b"), 307, time.Second},
	{"markup in the path", once("/" + markup), 404, time.Second},
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
	readyAndClose = request("/-/ready", "Connection: close\r\n")
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
				s := newPipeServer(t, handler, "", nil)
				ended := make(chan conversation)
				for range 2 {
					go func() { ended <- talk(t, s.dial(nil), c.say, 0) }()
				}
				synctest.Wait()
				s.get("/metrics").want(t, http.StatusOK, playout)
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

// checkHostile checks the answer to a hostile request, and the answer to readyAndClose after it
// unless the connection ends.
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
	first := read(t, resp)
	first.want(t, status)
	if kind := first.header.Get("Content-Type"); strings.Contains(first.body, markup) || kind == "" && first.body != "" {
		t.Errorf("a browser could take this for a page: %s: %.300q", kind, first.body)
	}
	link := first.header.Get("Location")
	if u, err := url.Parse(link); err != nil || u.Host != "" || strings.HasPrefix(link, "//") || strings.Contains(link, `\`) {
		t.Errorf("it leads to %q", link)
	}
	if first.header.Get("Set-Cookie") != "" {
		t.Errorf("somebody has set a cookie: %q", first.header)
	}
	if !resp.Close {
		if resp, err = http.ReadResponse(answers, nil); err != nil {
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
				s := newPipeServer(t, newHandler(t, new(fake)), "", nil)
				got := talk(t, s.dial(nil), saying(time.Minute, request("/-/healthy"), more), 0)
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
				s := newPipeServer(t, newHandler(t, &fake{results: validResults(100)}, maxRequests(2)), "", nil)
				ended := make(chan conversation)
				for range 2 {
					go func() { ended <- talk(t, s.dial(nil), saying(0, request(path)), time.Second) }()
				}
				time.Sleep(writeTimeout - time.Second) // of the fake clock
				s.get(path).want(t, status)
				s.get("/-/healthy").want(t, http.StatusOK)
				for range 2 {
					got := <-ended
					got.within(t, writeTimeout+time.Second)
				}
				synctest.Wait()
				s.get(path).want(t, http.StatusOK)
			})
		})
	}
}
