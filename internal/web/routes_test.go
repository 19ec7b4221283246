package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
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
		{plain, "HEAD", "/", 200, pageType, ""},
		{plain, "POST", "/", 405, textType, "GET, HEAD"},
		{plain, "GET", "/?sort=<b>", 400, textType, "no order"},
		{plain, "GET", "/style.css", 200, "text/css; charset=utf-8", "{"},
		{plain, "PUT", "/style.css", 405, textType, "GET, HEAD"},
		{plain, "GET", "/live.js", 200, "text/javascript; charset=utf-8", "fetch("},
		{plain, "GET", playoutPage, 200, pageType, "<!doctype html>"},
		{plain, "GET", "/session?target=studio", 400, textType, "parameter session is missing"},
		{plain, "GET", "/session?target=studio&session=<b>", 404, textType, "the status page lists"},
		{plain, "POST", playoutPage, 303, "", ""},
		{plain, "POST", "/session?target=nowhere", 404, textType, "unknown target"},
		{plain, "PUT", playoutPage, 405, textType, "GET, HEAD, POST"},
		{plain, "POST", "/retry-login?target=studio&session=playout", 303, "", ""},
		{plain, "GET", "/retry-login?target=studio&session=playout", 405, textType, "POST"},
		{plain, "POST", "/probe-all", 303, "", ""},
		{plain, "GET", "/probe-all", 405, textType, "POST"},
		{plain, "GET", "/metrics", 200, plainType, playout},
		{plain, "HEAD", "/metrics", 200, plainType, ""},
		{plain, "POST", "/metrics", 405, textType, "GET, HEAD"},
		{plain, "GET", "/metrics/", 404, textType, "not found"},
		{plain, "GET", "/probe?target=studio", 200, plainType, playout},
		{plain, "HEAD", "/probe?target=studio", 200, plainType, ""},
		{plain, "DELETE", "/probe?target=studio", 405, textType, "GET, HEAD"},
		{plain, "GET", "/probe", 400, textType, "parameter target is missing"},
		{plain, "GET", "/probe?target=nowhere", 404, textType, "unknown target: only what is configured can be probed; /config shows it\n"},
		{plain, "GET", "/config", 200, textType, "token: <secret>"},
		{plain, "POST", "/config", 405, textType, "GET, HEAD"},
		{plain, "GET", "/sd", 200, jsonType, `"studio"`},
		{plain, "GET", "/sessions.json", 200, jsonType, `"not_probed"`},
		{plain, "GET", "/runbook", 200, pageType, "<!doctype html>"},
		{plain, "GET", "/-/healthy", 200, textType, "healthy"},
		{plain, "OPTIONS", "/-/healthy", 405, textType, "GET, HEAD"},
		{plain, "GET", "/-/ready", 200, textType, "ready"},
		{plain, "POST", "/-/reload", 403, textType, "--web.enable-lifecycle"},
		{plain, "GET", "/-/reload", 405, textType, "POST"},
		{plain, "GET", "/debug/pprof/", 404, textType, "not found"},
		{plain, "GET", "/debug/pprof/cmdline", 404, textType, "not found"},
		{plain, "GET", "/favicon.ico", 404, textType, "not found"},
		{plain, "GET", "//metrics", 307, pageType, ""},
		{all, "GET", "/hmp/metrics", 200, plainType, playout},
		{all, "GET", "/metrics", 404, textType, "not found"},
		{all, "GET", "/", 200, pageType, `href="./hmp/metrics"`},
		{all, "GET", "/?sort=name", 200, pageType, "The exporter probes every session every 30s."},
		{all, "POST", "/-/reload", 200, textType, "reloaded"},
		{all, "GET", "/debug/pprof/", 200, pageType, "goroutine"},
		{all, "GET", "/debug/pprof/goroutine?debug=1", 200, textType, "goroutine profile"},
		{all, "GET", "/debug/pprof/symbol", 200, textType, "num_symbols"},
		{all, "POST", "/debug/pprof/profile", 405, textType, "GET, HEAD"},
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

// TestPagePanics is that a panic costs only one answer. The log has one line about it, without
// the value, which can be a secret.
func TestPagePanics(t *testing.T) {
	for _, c := range []struct {
		name   string
		panics func()
		logged string
	}{
		{"text", func() { panic("CANARY-token") }, "panic=string"},
		{"error", func() { panic(errors.New("CANARY-token")) }, "panic=*errors.errorString"},
		{"runtime error", func() { results := validResults(1); _ = results[len(results)+3] }, `panic="runtime error: index out of range [4] with length 1"`},
		{"nil", func() { panic(nil) }, "panic=\"panic called with nil argument"}, //nolint:govet // that is the test
	} {
		for _, path := range []string{"/metrics", "/probe?target=studio", "/"} {
			t.Run(c.name+" "+path, func(t *testing.T) {
				logged := canary.NewLog(t)
				handler := newHandler(t, &fake{panics: c.panics}, maxRequests(1), logTo(logged))
				const times = 3
				for range times { // a place that is not released would cause a 503
					got := serve(t, handler, http.MethodGet, path)
					got.want(t, http.StatusInternalServerError, "a defect of the exporter, and its log has a line about it")
					got.checkHeader(t)
				}
				serve(t, handler, http.MethodGet, "/-/healthy").want(t, http.StatusOK)
				if n := strings.Count(logged.String(), "\n"); n != times {
					t.Errorf("the log has %d lines, want one each time:\n%.500s", n, logged)
				}
				for _, want := range []string{c.logged, "TestPagePanics", `page="GET ` + strings.Split(path, "?")[0]} {
					if !strings.Contains(logged.String(), want) {
						t.Errorf("the log does not say %s:\n%.500s", want, logged)
					}
				}
			})
		}
	}
}

// TestPanicInAnAnswer is that an answer that has begun does not look complete.
func TestPanicInAnAnswer(t *testing.T) {
	for name, what := range map[string]any{"a defect": errors.New("CANARY"), "on purpose": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			logged := canary.NewLog(t)
			o := new(Options)
			logTo(logged)(o)
			server := httptest.NewServer(protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", textType)
				_, _ = io.WriteString(w, "hmp_up 1\n")
				_ = http.NewResponseController(w).Flush()
				panic(what)
			}), o.Logger))
			defer server.Close()
			got, err := try(t.Context(), t, newClient(t, nil), http.MethodGet, server.URL)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got all of %d %q, %v", got.status, got.body, err)
			}
			if lines := strings.Count(logged.String(), "\n"); (lines == 1) != (name == "a defect") {
				t.Errorf("the log has %d lines:\n%s", lines, logged)
			}
		})
	}
}

// TestOrigins is that no page of another origin can have a browser probe, log in or reload,
// also behind a proxy.
func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		name, external string
		header         []string
		ok             bool
	}{
		{"a program", "", nil, true},
		{"the page itself", "", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}, true},
		{"the address bar", "", []string{"Sec-Fetch-Site", "none"}, true},
		{"the page itself, in an old browser", "", []string{"Origin", "http://example.com"}, true},
		{"another site", "", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"another port", "", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://example.com:1"}, false},
		{"another site, in an old browser", "", []string{"Origin", "http://evil.example"}, false},
		{"a page that hides its origin", "", []string{"Origin", "null"}, false},
		{"a proxy", "https://proxy.example/", []string{"Origin", "https://proxy.example"}, true},
		{"an unknown proxy", "", []string{"Origin", "https://proxy.example"}, false},
		{"another site behind a proxy", "https://proxy.example/", []string{"Origin", "https://evil.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			location, err := NewLocation(c.external, "")
			if err != nil {
				t.Fatal(err)
			}
			f := &fake{results: validResults(1)}
			handler := newHandler(t, f, lifecycle, func(o *Options) { o.Location = location })
			for _, path := range []string{playoutPage, "/probe-all", "/retry-login?target=studio&session=playout", "/-/reload"} {
				got := serve(t, handler, http.MethodPost, path, c.header...)
				if (got.status == http.StatusForbidden) == c.ok {
					t.Errorf("%s is answered with %d: %s", path, got.status, got.body)
				}
			}
			if probed := len(f.requests) > 0; probed != c.ok {
				t.Errorf("there are %d probes", len(f.requests))
			}
		})
	}
}

// TestProbeNow is that a post probes what it names, and leads to the page that shows it.
func TestProbeNow(t *testing.T) {
	for path, want := range map[string]struct {
		request  collector.Request
		location string
	}{
		"/session?target=studio&session=playout": {collector.Request{Target: "studio", Session: "playout"}, "session?target=studio&session=playout"},
		"/session?target=studio":                 {collector.Request{Target: "studio"}, "./?target=studio"},
		"/probe-all":                             {collector.Request{}, "./"},
	} {
		f := &fake{results: validResults(1)}
		got := serve(t, newHandler(t, f), http.MethodPost, path)
		got.want(t, http.StatusSeeOther)
		if to := got.header.Get("Location"); to != want.location || len(f.requests) != 1 || f.requests[0] != want.request {
			t.Errorf("%s probes %v and leads to %q, want %v and %q", path, f.requests, to, want.request, want.location)
		}
	}
}
