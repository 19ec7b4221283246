package web

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestBodies is that a body, which no page needs, neither holds a place that a
// scrape needs nor its connection for long.
func TestBodies(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n"
	read := []int{http.StatusOK}
	timeout := []int{http.StatusRequestTimeout}
	large := []int{http.StatusRequestEntityTooLarge}
	bad := []int{http.StatusBadRequest, http.StatusRequestTimeout}
	for _, c := range []struct {
		name, header string
		say          func(io.Writer)
		want         []int // one of these statuses
	}{
		{"whole", "Content-Length: 10\r\n", saying(0, "0123456789"), read},
		{"in pieces", "Content-Length: 3\r\n", saying(time.Second, "0", "1", "2"), read},
		{"as large as it may be", "Content-Length: 65536\r\n", saying(0, strings.Repeat("a", 65536)), read},
		{"in chunks", chunked, saying(time.Second, "3\r\nabc\r\n", "0\r\n\r\n"), read},
		{"in chunks, with a trailer", chunked, saying(0, "3\r\nabc\r\n0\r\nA: b\r\n\r\n"), read},
		{"announced", "Content-Length: 10\r\nExpect: 100-continue\r\n", saying(time.Second, "", "0123456789"), read},
		{"none sent", "Content-Length: 10\r\n", saying(0), timeout},
		{"none sent, and large", "Content-Length: 1000000000000\r\n", saying(0), append(timeout, large...)},
		{"none sent, after an announcement", "Content-Length: 10\r\nExpect: 100-continue\r\n", saying(0), timeout},
		{"cut short", "Content-Length: 10\r\n", saying(0, "01234"), timeout},
		{"a byte a second", "Content-Length: 1000\r\n", forever(time.Second, "", "a"), timeout},
		{"a chunk a second", chunked, forever(time.Second, "", "1\r\na\r\n"), timeout},
		{"no first chunk", chunked, saying(0), timeout},
		{"no last chunk", chunked, saying(0, "3\r\nabc\r\n"), timeout},
		{"half a trailer", chunked, saying(0, "0\r\nA: b\r\n"), timeout},
		{"too large by a byte", "Content-Length: 65537\r\n", saying(0, strings.Repeat("a", 65537)), large},
		{"endless", chunked, forever(time.Millisecond, "", "400\r\n"+strings.Repeat("a", 0x400)+"\r\n"), large},
		{"endless trailer", chunked, forever(time.Millisecond, "0\r\n", strings.Repeat("A: b\r\n", 100)), bad},
		{"a chunk without a length", chunked, saying(0, "xyz\r\nabc\r\n"), bad},
		{"a chunk of a negative length", chunked, saying(0, "-1\r\nabc\r\n"), bad},
		{"a chunk extension without end", chunked, forever(time.Millisecond, "1;", strings.Repeat("a", 0x400)), bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			testBody(t, request("GET", "/metrics", "Connection: close\r\n", c.header), c.say, c.want...)
		})
	}
}

// TestBodyOfEveryPage is that this holds for every page.
func TestBodyOfEveryPage(t *testing.T) {
	for _, page := range everyPage {
		t.Run(page.method+" "+page.path, func(t *testing.T) {
			head := request(page.method, page.path, "Connection: close\r\n", "Content-Length: 10\r\n")
			testBody(t, head, saying(0, "0123456789"), page.status)
			testBody(t, head, saying(0), http.StatusRequestTimeout)
		})
	}
}

// testBody has two clients, as many as may scrape at once, send the same body. They
// have to get one of some answers, and another scrape has to get its own meanwhile.
func testBody(t *testing.T, head string, say func(io.Writer), want ...int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := serveTwo(t, &fake{results: someResults(1)})
		ended := make(chan talk)
		for range 2 {
			go func() {
				ended <- p.talk(t, func(w io.Writer) {
					saying(0, head)(w)
					say(w)
				}, 0)
			}()
		}
		synctest.Wait()
		do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
		for range 2 {
			got := <-ended
			got.within(t, bodyTimeout+time.Second)
			if status := got.status(t); !slices.Contains(want, status) {
				t.Errorf("the answer is %d, want one of %d: %.300q", status, want, got.answer)
			}
		}
	})
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

// TestBodyOnKeptConnection is that a body that was read leaves nothing behind: the
// next scrape on its connection may take its time.
func TestBodyOnKeptConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(1), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f))
		got := make(chan talk)
		go func() {
			got <- p.talk(t, saying(time.Minute,
				request("GET", "/metrics", "Content-Length: 3\r\n")+"abc",
				request("GET", "/metrics", "Content-Length: 3\r\nConnection: close\r\n")+"abc"), 0)
		}()
		for range 2 {
			time.Sleep(3 * bodyTimeout) // of the fake clock
			f.gate <- struct{}{}
		}
		if n := strings.Count((<-got).answer, "HTTP/1.1 200 OK\r\n"); n != 2 {
			t.Errorf("%d scrapes were answered, want 2", n)
		}
	})
}
