package web

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// headerTimeout is how long a client may take to send a request's header.
const headerTimeout = 10 * time.Second

// TestMalformedRequests has clients say what is no request, or too much of one. Each
// is told off or cut off in time, and others are answered meanwhile.
func TestMalformedRequests(t *testing.T) {
	const (
		silence = 0 // the connection is closed without an answer
		bad     = http.StatusBadRequest
		large   = http.StatusRequestHeaderFieldsTooLarge
	)
	kilobyte, megabyte := strings.Repeat("a", 1<<10), strings.Repeat("a", 1<<20)
	for _, c := range []struct {
		name   string
		say    func(io.Writer)
		status int
		within time.Duration
	}{
		{"nothing", saying(0), silence, headerTimeout},
		{"half a request line", saying(0, "GET /met"), bad, headerTimeout},
		{"no end of the header", saying(0, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"), silence, headerTimeout},
		{"a byte a second", forever(time.Second, "GET /metrics HTTP/1.1\r\nA: ", "a"), silence, headerTimeout},
		{"a header line a second", forever(time.Second, "GET /metrics HTTP/1.1\r\n", "A: b\r\n"), silence, headerTimeout},
		{"endless header lines", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\n", strings.Repeat("A: b\r\n", 100)), large, time.Second},
		{"an endless header line", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\nA: ", kilobyte), large, time.Second},
		{"an endless request line", forever(time.Millisecond, "GET /", kilobyte), large, time.Second},
		{"an endless method", forever(time.Millisecond, "", strings.ToUpper(kilobyte)), large, time.Second},
		{"an endless name of a header", forever(time.Millisecond, "GET /metrics HTTP/1.1\r\n", kilobyte), large, time.Second},
		{"a header of 1 MB", saying(0, request("GET", "/metrics", "A: ", megabyte, "\r\n")), large, time.Second},
		{"a path of 1 MB", saying(0, request("GET", "/"+megabyte)), large, time.Second},
		{"a parameter of 1 MB", saying(0, request("GET", "/probe?target="+megabyte)), large, time.Second},
		{"10000 header lines", saying(0, request("GET", "/metrics", strings.Repeat("Header: value\r\n", 10_000))), large, time.Second},
		{"empty lines without end", forever(time.Millisecond, "", "\r\n"), bad, time.Second},
		{"HTTP/0.9", saying(0, "GET /metrics\r\n\r\n"), bad, time.Second},
		{"HTTP/1.1 without a host", saying(0, "GET /metrics HTTP/1.1\r\n\r\n"), bad, time.Second},
		{"HTTP/2 without TLS", saying(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http.StatusRequestEntityTooLarge, time.Second},
		{"HTTP/7.5", saying(0, "GET /metrics HTTP/7.5\r\nHost: localhost\r\n\r\n"), http.StatusHTTPVersionNotSupported, time.Second},
		{"HTTP/01.1", saying(0, "GET /metrics HTTP/01.1\r\nHost: localhost\r\n\r\n"), bad, time.Second},
		{"another protocol", saying(0, "EHLO mail.example\r\n\r\n"), bad, time.Second},
		{"TLS", saying(0, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\x00", 512)), bad, headerTimeout},
		{"zeros without end", forever(time.Millisecond, "", strings.Repeat("\x00", 1000)), large, time.Second},
		{"bytes of all kinds", forever(time.Millisecond, "", allBytes()), bad, time.Second},
		{"a NUL in a header", saying(0, request("GET", "/metrics", "A: \x00\r\n")), bad, time.Second},
		{"a space before a colon", saying(0, request("GET", "/metrics", "A : b\r\n")), bad, time.Second},
		{"a header without a name", saying(0, request("GET", "/metrics", ": b\r\n")), bad, time.Second},
		{"a header without a colon", saying(0, request("GET", "/metrics", "A\r\n")), bad, time.Second},
		{"a space in the path", saying(0, request("GET", "/me trics")), bad, time.Second},
		{"a broken escape", saying(0, request("GET", "/%zz")), bad, time.Second},
		{"a method that is none", saying(0, request("G<T", "/metrics")), bad, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := serveTwo(t, &fake{results: someResults(1)})
				ended := make(chan talk)
				for range 5 {
					go func() { ended <- p.talk(t, c.say, 0) }()
				}
				do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
				for range 5 {
					got := <-ended
					got.within(t, c.within)
					if status := got.status(t); status != c.status {
						t.Errorf("the answer is %d, want %d: %.300q", status, c.status, got.answer)
					}
					if strings.Contains(got.answer, "aaaa") || strings.Contains(got.answer, "<T") {
						t.Errorf("the answer repeats what was asked: %.300q", got.answer)
					}
				}
				do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
			})
		})
	}
}

func allBytes() string {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	return string(all[:])
}

// TestPipelining is that requests which come before the answers are answered in
// their order, and that one of them that is broken ends it.
func TestPipelining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serveTwo(t, &fake{results: someResults(1)})
		var requests strings.Builder
		for range 100 {
			requests.WriteString(request("GET", "/-/healthy") + request("GET", "/nothing"))
		}
		got := p.talk(t, saying(0, requests.String()+"nonsense\r\n\r\n"+requests.String()), 0)
		got.within(t, time.Second)
		var statuses strings.Builder
		for line := range strings.Lines(got.answer) {
			if status, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
				statuses.WriteString(status[:3] + " ")
			}
		}
		if want := strings.Repeat("200 404 ", 100) + "400 "; statuses.String() != want {
			t.Errorf("got %s, want %s", &statuses, want)
		}
	})
}

// TestIdleConnection is that a connection which is kept is closed when nobody uses
// it for long, and that a request which begins on it and does not end holds it for
// no longer.
func TestIdleConnection(t *testing.T) {
	const idle = 5 * time.Minute
	for name, again := range map[string]string{"nothing more": "", "a byte": "G", "half a request": "GET /met"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := serveTwo(t, &fake{results: someResults(1)})
				got := p.talk(t, saying(time.Minute, request("GET", "/-/healthy"), again), 0)
				got.within(t, idle)
				if again == "" && got.took < idle {
					t.Errorf("it was closed after %v, want %v: scrapes are apart", got.took, idle)
				}
			})
		})
	}
}

// status is that of the one answer; 0 if there was none.
func (k talk) status(t *testing.T) int {
	t.Helper()
	if k.answer == "" {
		return 0
	}
	_, rest, _ := strings.Cut("\r\n"+k.answer, "\r\nHTTP/1.1 100 Continue\r\n\r\n")
	if rest == "" {
		rest = k.answer
	}
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(rest)), nil)
	if err != nil {
		t.Fatalf("%v: %.300q", err, k.answer)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
