package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	textType = "text/plain; charset=utf-8"
	pageType = "text/html; charset=utf-8"
	jsonType = "application/json"
)

// TestRoutes is what each path answers to each method: the status, the type, and headers that
// no browser can misunderstand. No path takes a body.
func TestRoutes(t *testing.T) {
	f := &fake{results: validResults(1)}
	plain := newHandler(t, f)
	all := newHandler(t, f, lifecycle, func(o *Options) { o.Pprof, o.TelemetryPath, o.ProbeInterval = true, "/hmp/metrics", 30*time.Second })
	for _, c := range []struct {
		handler           http.Handler
		method, path      string
		status            int
		contentType, says string
	}{
		{plain, "GET", "/", 200, pageType, `href="./metrics"`},
		{plain, "POST", "/", 405, textType, "GET, HEAD"},
		{plain, "GET", "/?sort=<b>", 400, textType, "no order"},
		{plain, "GET", "/style.css", 200, "text/css; charset=utf-8", "{"},
		{plain, "GET", "/live.js", 200, "text/javascript; charset=utf-8", "fetch("},
		{plain, "GET", playoutPage, 200, pageType, "<!doctype html>"},
		{plain, "GET", "/session?target=studio", 400, textType, "parameter session is missing"},
		{plain, "GET", "/session?target=studio&session=<b>", 404, textType, "the status page lists"},
		{plain, "POST", playoutPage, 303, "", ""},
		{plain, "POST", "/session?target=nowhere", 404, textType, "unknown target"},
		{plain, "PUT", playoutPage, 405, textType, "GET, HEAD, POST"},
		{plain, "POST", "/retry-login?target=studio&session=playout", 303, "", ""},
		{plain, "POST", "/probe-all", 303, "", ""},
		{plain, "GET", "/metrics", 200, plainType, playout},
		{plain, "HEAD", "/metrics", 200, plainType, ""},
		{plain, "GET", "/metrics?name[]=hmp_up;x", 400, textType, "the parameters are malformed"},
		{plain, "POST", "/metrics", 405, textType, "GET, HEAD"},
		{plain, "GET", "/probe?target=studio", 200, plainType, playout},
		{plain, "DELETE", "/probe?target=studio", 405, textType, "GET, HEAD"},
		{plain, "GET", "/probe", 400, textType, "parameter target is missing: name a configured target, as in /probe?target=studio\n"},
		{plain, "GET", "/probe?target=", 400, textType, "parameter target is empty: name a configured target\n"},
		{plain, "GET", "/probe?target=studio&session=", 400, textType, "parameter session is empty: name a configured session\n"},
		{plain, "GET", "/probe?target=studio&target=tower", 400, textType, "parameter target is given 2 times: give it once\n"},
		{plain, "GET", "/probe?target=studio;session=playout", 400, textType, "the parameters are malformed: invalid semicolon separator in query\n"},
		{plain, "GET", "/probe?target=nowhere", 404, textType, "unknown target: only what is configured can be probed; /config shows it\n"},
		{plain, "GET", "/config", 200, textType, "token: <secret>"},
		{plain, "GET", "/sd", 200, jsonType, `"studio"`},
		{plain, "GET", "/sd?by=hmp", 400, textType, "the parameter by must be target or session"},
		{plain, "GET", "/sd?by=target&by=session", 400, textType, "the parameter by must be"},
		{plain, "GET", "/sessions.json", 200, jsonType, `"not_probed"`},
		{plain, "GET", "/runbook", 200, pageType, "<!doctype html>"},
		{plain, "GET", "/-/healthy", 200, textType, "healthy"},
		{plain, "OPTIONS", "/-/healthy", 405, textType, "GET, HEAD"},
		{plain, "GET", "/-/ready", 200, textType, "ready"},
		{plain, "POST", "/-/reload", 403, textType, "--web.enable-lifecycle"},
		{plain, "GET", "/-/reload", 405, textType, "POST"},
		{plain, "GET", "/debug/pprof/", 404, textType, "not found"},
		{plain, "GET", "/favicon.ico", 404, textType, "not found"},
		{plain, "GET", "//metrics", 307, pageType, ""},
		{all, "GET", "/hmp/metrics", 200, plainType, playout},
		{all, "GET", "/metrics", 404, textType, "not found"},
		{all, "GET", "/", 200, pageType, `href="./hmp/metrics"`},
		{all, "GET", "/?sort=name", 200, pageType, "The exporter probes every session every 30s."},
		{all, "POST", "/-/reload", 200, textType, "reloaded"},
		{all, "GET", "/debug/pprof/", 200, pageType, "goroutine"},
		{all, "GET", "/debug/pprof/goroutine?debug=1", 200, textType, "goroutine profile"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := serve(t, c.handler, c.method, c.path)
			got.checkHeader(t)
			if got.header.Get("Content-Type") != c.contentType {
				t.Errorf("Content-Type %q, want %q", got.header.Get("Content-Type"), c.contentType)
			}
			if c.status == http.StatusMethodNotAllowed {
				got.want(t, c.status)
				if got.header.Get("Allow") != c.says {
					t.Errorf("Allow %q, want %q", got.header.Get("Allow"), c.says)
				}
			} else {
				got.want(t, c.status, c.says)
			}
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader("a body")))
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d with a body, want 413", w.Code)
			}
		})
	}
}

// checkHeader checks the headers that browsers obey.
func (r reply) checkHeader(t *testing.T) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	cache, kind := "no-store", r.header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/css") || strings.HasPrefix(kind, "text/javascript") {
		cache = "no-cache"
	}
	if got := r.header.Get("Cache-Control"); got != cache {
		t.Errorf("Cache-Control %q, want %q", got, cache)
	}
	if kind == "" && r.body != "" {
		t.Error("there is no Content-Type")
	}
}

// TestAssets is that a browser that has a style sheet or a script already does not get it again.
func TestAssets(t *testing.T) {
	handler := newHandler(t, new(fake))
	for _, path := range []string{"/style.css", "/live.js"} {
		etag := serve(t, handler, http.MethodGet, path).header.Get("ETag")
		again := serve(t, handler, http.MethodGet, path, "If-None-Match", etag)
		if again.want(t, http.StatusNotModified); etag == "" || again.body != "" {
			t.Errorf("%s: ETag %q, and %d bytes come again", path, etag, len(again.body))
		}
	}
}

// TestTelemetryPath is which paths the metrics can have.
func TestTelemetryPath(t *testing.T) {
	for want, paths := range map[string][]string{
		"": {"/metrics", "/hmp/metrics", "/metrics.txt", "/-", "/probes"},
		"is not a path: give one such as /metrics": {
			"", "metrics", "/metrics/", "//metrics", "/a/../metrics", "/./metrics", "/metrics?a=b", "/metrics#top", "/met%72ics",
			"/met rics", "/met\nrics", "/\xff", "/métriques", "/{path}", "/{$}", "http://localhost/metrics",
		},
		"serves something else: give another, such as /metrics": {
			"/", "/probe", "/config", "/sd", "/style.css", "/live.js", "/session", "/retry-login", "/probe-all", "/runbook", "/sessions.json",
			"/-/healthy", "/-/metrics", "/debug/pprof", "/debug/pprof/heap",
		},
	} {
		for _, path := range paths {
			_, err := New(Options{Collector: new(fake), TelemetryPath: path})
			if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%q: %v, want %q", path, err, want)
			}
		}
	}
}
