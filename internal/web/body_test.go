package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestBodies is that a body, which no page takes, is refused unread, whatever it is like. It
// holds neither a place that a scrape needs nor its connection for long.
func TestBodies(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n"
	for _, c := range []struct {
		name, header string
		say          func(io.Writer)
	}{
		{"whole", "Content-Length: 10\r\n", saying(0, "0123456789")},
		{"in pieces", "Content-Length: 3\r\n", saying(time.Second, "0", "1", "2")},
		{"in chunks", chunked, saying(time.Second, "3\r\nabc\r\n", "0\r\n\r\n")},
		{"in chunks, with a trailer", chunked, saying(0, "3\r\nabc\r\n0\r\nA: b\r\n\r\n")},
		{"announced", "Content-Length: 10\r\nExpect: 100-continue\r\n", saying(time.Second, "", "0123456789")},
		{"none sent", "Content-Length: 10\r\n", saying(0)},
		{"none sent, and large", "Content-Length: 1000000000000\r\n", saying(0)},
		{"none sent, after an announcement", "Content-Length: 10\r\nExpect: 100-continue\r\n", saying(0)},
		{"cut short", "Content-Length: 10\r\n", saying(0, "01234")},
		{"a byte a second", "Content-Length: 1000\r\n", forever(time.Second, "", "a")},
		{"a chunk a second", chunked, forever(time.Second, "", "1\r\na\r\n")},
		{"no first chunk", chunked, saying(0)},
		{"no last chunk", chunked, saying(0, "3\r\nabc\r\n")},
		{"half a trailer", chunked, saying(0, "0\r\nA: b\r\n")},
		{"large", "Content-Length: 65537\r\n", saying(0, strings.Repeat("a", 65537))},
		{"endless", chunked, forever(time.Millisecond, "", "400\r\n"+strings.Repeat("a", 0x400)+"\r\n")},
		{"endless trailer", chunked, forever(time.Millisecond, "0\r\n", strings.Repeat("A: b\r\n", 100))},
		{"a chunk without a length", chunked, saying(0, "xyz\r\nabc\r\n")},
		{"a chunk of a negative length", chunked, saying(0, "-1\r\nabc\r\n")},
		{"a chunk extension without end", chunked, forever(time.Millisecond, "1;", strings.Repeat("a", 0x400))},
	} {
		t.Run(c.name, func(t *testing.T) {
			testBody(t, request("GET", "/metrics", "Connection: close\r\n", c.header), c.say)
		})
	}
}

// TestBodyOfEveryPage is that this holds for every page.
func TestBodyOfEveryPage(t *testing.T) {
	for _, page := range everyPage {
		t.Run(page.method+" "+page.path, func(t *testing.T) {
			head := request(page.method, page.path, "Connection: close\r\n", "Content-Length: 10\r\n")
			testBody(t, head, saying(0, "0123456789"))
			testBody(t, head, saying(0))
		})
	}
}

// testBody has two clients, as many as may scrape at once, send the same body. They
// have to be refused, and another scrape has to get its answer meanwhile.
func testBody(t *testing.T, head string, say func(io.Writer)) {
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
			if !strings.HasPrefix(got.answer, "HTTP/1.1 413 ") {
				t.Errorf("the answer is %.300q, want a 413", got.answer)
			}
		}
	})
}
