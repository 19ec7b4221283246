package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/version"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// TestSafeHeaders is that no browser makes of an answer what it is not, and that no
// page of markup can do or load anything but its style and its script, whatever is on it.
func TestSafeHeaders(t *testing.T) {
	r := newServed(t, fleet, func(o *Options) { o.Lifecycle, o.Pprof = true, true })
	refused := newServed(t, "")
	for _, c := range []struct {
		name         string
		rig          *rig
		method, path string
		status       int
	}{
		{"a scrape", r, "GET", "/metrics", http.StatusOK},
		{"a probe", r, "GET", "/probe?target=studio", http.StatusOK},
		{"the status page", r, "GET", "/", http.StatusOK},
		{"the status page without sessions", refused, "GET", "/", http.StatusOK},
		{"the style", r, "GET", "/style.css", http.StatusOK},
		{"the script", r, "GET", "/live.js", http.StatusOK},
		{"the page of a session", r, "GET", "/session?target=studio&session=playout", http.StatusOK},
		{"no session", r, "GET", "/session?target=studio", http.StatusBadRequest},
		{"an unknown session", r, "GET", "/session?target=studio&session=<b>", http.StatusNotFound},
		{"a query that is none", r, "GET", "/?sort=<b>", http.StatusBadRequest},
		{"the configuration", r, "GET", "/config", http.StatusOK},
		{"no configuration", refused, "GET", "/config", http.StatusServiceUnavailable},
		{"the discovery", r, "GET", "/sd", http.StatusOK},
		{"health", r, "GET", "/-/healthy", http.StatusOK},
		{"readiness", r, "GET", "/-/ready", http.StatusOK},
		{"no readiness", refused, "GET", "/-/ready", http.StatusServiceUnavailable},
		{"a reload", r, "POST", "/-/reload", http.StatusOK},
		{"a reload that fails", refused, "POST", "/-/reload", http.StatusForbidden},
		{"no target", r, "GET", "/probe", http.StatusBadRequest},
		{"an unknown target", r, "GET", "/probe?target=<b>", http.StatusNotFound},
		{"profiles", r, "GET", "/debug/pprof/", http.StatusOK},
		{"a profile", r, "GET", "/debug/pprof/goroutine", http.StatusOK},
		{"no such page", r, "GET", "/nothing", http.StatusNotFound},
		{"a redirect", r, "GET", "//metrics", http.StatusTemporaryRedirect},
		{"a redirect of a HEAD", r, "HEAD", "//metrics", http.StatusTemporaryRedirect},
		{"another method", r, "POST", "/metrics", http.StatusMethodNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.rig.do(c.method, c.path)
			got.want(t, c.status)
			got.safe(t)
		})
	}
	t.Run("too many scrapes", func(t *testing.T) {
		r, g := newGated(t)
		for range permits {
			r.dial().ask(t, "/metrics")
		}
		g.await(t, permits)
		got := r.get("/metrics")
		got.want(t, http.StatusServiceUnavailable)
		got.safe(t)
	})
	t.Run("a body that is too slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := serveTwo(t, new(fake))
			got := p.talk(t, saying(0, request("GET", "/", "Content-Length: 1\r\n")), 0)
			if !strings.Contains(got.answer, "\r\nX-Content-Type-Options: nosniff\r\n") {
				t.Errorf("there is no nosniff: %.300q", got.answer)
			}
		})
	})
}

// safe checks the header fields that browsers go by.
func (r reply) safe(t *testing.T) {
	t.Helper()
	if got := r.header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options %q, want nosniff", got)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" && (got != "no-cache" || r.status != http.StatusOK) {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
	kind := r.header.Get("Content-Type")
	if kind == "" && r.body != "" {
		t.Error("there is no Content-Type")
	}
	if !strings.HasPrefix(kind, "text/html") {
		return
	}
	const want = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	if policy := r.header.Get("Content-Security-Policy"); policy != want {
		t.Errorf("Content-Security-Policy %q lets more in than the program's own, want %q", policy, want)
	}
}

// TestAnswersOfTheServer is that what net/http answers before it comes to any page
// is plain text that nobody else had a say in. It has no place for a nosniff.
func TestAnswersOfTheServer(t *testing.T) {
	const markup = "<script>alert(1)</script>"
	for _, c := range []struct{ name, request, answer string }{
		{"a header that is too large", request("GET", "/", "A: ", strings.Repeat(markup, 10_000), "\r\n"), "431 Request Header Fields Too Large"},
		{"no request", markup + "\r\n\r\n", "400 Bad Request"},
		{"a bad header", request("GET", "/", markup+"\r\n"), "400 Bad Request"},
		{"a bad host", "GET / HTTP/1.1\r\nHost: " + markup + "\r\n\r\n", "400 Bad Request: malformed Host header"},
		{"an unknown version", "GET / HTTP/9.9\r\nA: " + markup + "\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version"},
		{"an unknown encoding", request("GET", "/", "Transfer-Encoding: ", markup, "\r\n"), "Unsupported transfer encoding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := serveTwo(t, new(fake)).talk(t, saying(0, c.request), 0)
				header, body, _ := strings.Cut(got.answer, "\r\n\r\n")
				if body != c.answer {
					t.Errorf("got %q, want %q", body, c.answer)
				}
				if !strings.Contains(strings.ToLower(header), "\r\ncontent-type: text/plain") {
					t.Errorf("it is no plain text: %q", header)
				}
			})
		})
	}
}

// TestPageOfOddNames is that the page holds against the oddest names that a
// configuration may have, and against a version of markup.
func TestPageOfOddNames(t *testing.T) {
	const name, path = "..-_.", "/javascript:&amp=$&quot+@~"
	defer func(before string) { version.Version = before }(version.Version)
	version.Version = `1"'><script>alert(1)</script>`
	handler := handlerOf(t, &fake{results: []collector.Result{
		{Target: name, Session: "-"},
		{Target: name, Session: ".", Start: time.Unix(0, 0), Answer: hmp.Answer{Result: hmp.Valid}},
	}}, func(o *Options) { o.TelemetryPath = path })
	synctest.Test(t, func(t *testing.T) {
		p := servePiped(t, handler)
		got := do(t, p.client, http.MethodGet, "http://localhost/")
		got.safe(t)
		if n := got.page(t).foreignScripts(); n != 0 {
			t.Errorf("the page has %d scripts", n)
		}
		if !strings.Contains(text(got.page(t).root), version.Version) {
			t.Error("the version is not there as it is")
		}
		for _, link := range got.page(t).links() {
			if strings.HasPrefix(link, "session?") && !strings.HasPrefix(link, "session?target=..-_.&session=") {
				t.Errorf("the link %q is not escaped", link)
			}
			if link == "."+path {
				do(t, p.client, http.MethodGet, "http://localhost"+link[1:]).want(t, http.StatusOK, "go_goroutines")
			}
		}
	})
}
