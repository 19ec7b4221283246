package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// odd are requests that are allowed to be made, but that nobody makes who wants to
// know how an HMP is. None asks for a session that is there.
var odd = []struct {
	name, request string
	status        int
}{
	{"two lengths", request("GET", "/-/healthy", "Content-Length: 3\r\nContent-Length: 4\r\n") + "abcd", 400},
	{"the same length twice", request("GET", "/-/healthy", "Content-Length: 3\r\nContent-Length: 3\r\n") + "abc", 413},
	{"lengths in a list", request("GET", "/-/healthy", "Content-Length: 3, 3\r\n") + "abc", 400},
	{"a length with a sign", request("GET", "/-/healthy", "Content-Length: +3\r\n") + "abc", 400},
	{"a negative length", request("GET", "/-/healthy", "Content-Length: -1\r\n"), 400},
	{"a length that overflows", request("GET", "/-/healthy", "Content-Length: 18446744073709551616\r\n"), 400},
	// The chunks count: what follows them is the next request.
	{"length and chunks", request("GET", "/-/healthy", "Content-Length: 100\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 413},
	{"unknown encoding", request("GET", "/-/healthy", "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", 501},
	{"encoding in disguise", request("GET", "/-/healthy", "Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", 501},
	{"encodings", request("GET", "/-/healthy", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") + "0\r\n\r\n", 501},
	{"two hosts", request("GET", "/-/healthy", "Host: evil.example\r\n"), 400},
	{"upgrade to HTTP/2", request("GET", "/-/healthy", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), 200},
	{"upgrade to a WebSocket", request("GET", "/-/healthy", "Connection: Upgrade\r\nUpgrade: websocket\r\n"), 200},
	{"expectation", request("GET", "/-/healthy", "Expect: <b>\r\n"), 417},
	{"ranges", request("GET", "/config", "Range: bytes=0-0,0-0,0-0\r\n"), 200},

	{"CONNECT to a host", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 405},
	{"CONNECT to a page", request("CONNECT", "/metrics"), 405},
	{"TRACE", request("TRACE", "/metrics", "Cookie: <b>\r\n"), 405},
	{"OPTIONS", request("OPTIONS", "/metrics"), 405},
	{"OPTIONS of all", request("OPTIONS", "*"), 200},
	{"GET of all", request("GET", "*"), 400},
	{"a method of its own", request("EVIL", "/metrics"), 405},
	{"a method in small letters", request("get", "/metrics"), 405},

	{"absolute", request("GET", "http://evil.example/-/healthy"), 200},
	{"absolute, with a password", request("GET", "http://a:b@evil.example/-/healthy"), 200},
	{"absolute, to be cleaned", request("GET", "http://evil.example//metrics"), 307},
	{"absolute, without a path", request("GET", "http://evil.example"), 307},
	{"another scheme", request("GET", "file:///etc/passwd"), 404},
	{"no scheme", request("GET", "evil.example"), 400},

	{"two slashes", request("GET", "//metrics"), 307},
	{"a host after slashes", request("GET", "//evil.example/metrics"), 307},
	{"a host after slashes, to be cleaned", request("GET", "//evil.example/../metrics"), 307},
	{"a host after many slashes", request("GET", "/////evil.example//..//probe"), 307},
	{"a host after a backslash", request("GET", `/\evil.example/..//metrics`), 307},
	{"a host after an encoded slash", request("GET", "/%2fevil.example/..//metrics"), 307},
	{"a host to be redirected to", request("GET", "//evil.example/.//"), 307},
	{"dots", request("GET", "/./probe"), 307},
	{"encoded dots", request("GET", "/%2e%2e/config"), 404},
	{"dots encoded twice", request("GET", "/%252e%252e/config"), 404},
	{"up", request("GET", "/../../../../etc/passwd"), 307},
	{"an encoded slash", request("GET", "/-%2fhealthy"), 404},
	{"an encoded NUL", request("GET", "/metrics%00"), 404},
	{"an encoded line break", request("GET", "/%0d%0aSet-Cookie:%20a=b"), 404},
	{"an encoded line break, to be cleaned", request("GET", "//metrics?%0d%0aSet-Cookie:%20a=b"), 307},
	{"path parameters", request("GET", "/metrics;a=b"), 404},
	{"a semicolon and dots", request("GET", "/metrics/..;/config"), 404},
	{"capitals", request("GET", "/METRICS"), 404},
	{"markup", request("GET", "/<script>alert(1)</script>"), 404},
	{"markup to be redirected", request("GET", `//metrics?"><script>alert(1)</script>`), 307},
	{"not UTF-8", request("GET", "/\xff\xfe"), 404},
	{"a fragment", request("GET", "/config#top"), 404},

	{"host of another", "GET //metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 307},
	{"host with markup", "GET /-/healthy HTTP/1.1\r\nHost: <script>\r\n\r\n", 400},
	{"host with quotes", "GET / HTTP/1.1\r\nHost: evil.example'onload='x\r\n\r\n", 200},
	{"host with a path", "GET //metrics HTTP/1.1\r\nHost: evil.example/a\r\n\r\n", 400},
	{"host with a password", "GET //metrics HTTP/1.1\r\nHost: a@evil.example\r\n\r\n", 400},
	{"host that is empty", "GET //metrics HTTP/1.1\r\nHost:\r\n\r\n", 307},
	{"forwarded host", request("GET", "//metrics", "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Original-URL: /config\r\n"), 307},
	{"another method within", request("GET", "/-/reload", "X-HTTP-Method-Override: POST\r\n"), 405},
}

// TestOddRequests is that each gets its answer and leaves its connection ended or in
// order, that none leads a client away from here or shows it another's markup, and
// that no HMP hears of them.
func TestOddRequests(t *testing.T) {
	r := newServed(t, fleet, lifecycle)
	for _, c := range odd {
		t.Run(c.name, func(t *testing.T) {
			caller := r.dial()
			caller.send(t, c.request+request("GET", "/-/ready", "Connection: close\r\n"))
			first := caller.mustAnswer(t)
			first.want(t, c.status)
			first.harmless(t)
			if first.header.Get("Connection") != "close" {
				caller.mustAnswer(t).want(t, http.StatusOK, "hmp_exporter is ready.\n")
			}
			if rest, err := io.ReadAll(caller.answers); len(rest) != 0 || err != nil {
				t.Errorf("then came %.300q, %v", rest, err)
			}
		})
	}
	if n := r.probed(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}

// mustAnswer reads an answer that has to come.
func (c *caller) mustAnswer(t *testing.T) reply {
	t.Helper()
	r, err := c.answer(t)
	if err != nil {
		t.Fatalf("there is no answer: %v", err)
	}
	return r
}

// harmless checks that a reply does not lead away from here, and has no markup that
// somebody sent.
func (r reply) harmless(t *testing.T) {
	t.Helper()
	links := r.header.Values("Location")
	if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		page := r.page(t)
		links = append(links, page.links()...)
		if n := page.foreignScripts(); n != 0 {
			t.Errorf("the page has %d scripts: %.300q", n, r.body)
		}
	}
	for _, link := range links {
		u, err := url.Parse(link)
		if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(link, "//") || strings.Contains(link, `\`) {
			t.Errorf("it leads to %q", link)
		}
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} {
		if value := r.header.Get(name); value != "" {
			t.Errorf("somebody has set %s: %s", name, value)
		}
	}
}
