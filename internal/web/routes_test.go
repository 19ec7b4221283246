package web

import (
	"net/http"
	"testing"
)

const (
	textType   = "text/plain; charset=utf-8"
	plainType  = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
	pageType   = "text/html; charset=utf-8"
	styleType  = "text/css; charset=utf-8"
	scriptType = "text/javascript; charset=utf-8"
	jsonType   = "application/json"
)

const playout = `hmp_session_valid{session="playout",target="studio"} 1`

func TestRoutes(t *testing.T) {
	r := newRig(t, fleet)
	for _, c := range []struct {
		method, path      string
		status            int
		contentType, body string
	}{
		{"GET", "/", 200, pageType, "<!doctype html>"},
		{"HEAD", "/", 200, pageType, ""},
		{"GET", "/style.css", 200, styleType, "{"},
		{"HEAD", "/style.css", 200, styleType, ""},
		{"GET", "/live.js", 200, scriptType, "fetch("},
		{"GET", "/session?target=studio&session=playout", 200, pageType, "<!doctype html>"},
		{"HEAD", "/session?target=studio&session=playout", 200, pageType, ""},
		{"POST", "/session?target=studio&session=playout", 303, "", ""},
		{"POST", "/session?target=studio", 303, "", ""},
		{"GET", "/metrics", 200, plainType, playout},
		{"HEAD", "/metrics", 200, plainType, ""},
		{"GET", "/probe?target=studio", 200, plainType, playout},
		{"HEAD", "/probe?target=studio", 200, plainType, ""},
		{"GET", "/probe?target=studio&session=playout", 200, plainType, playout},
		{"GET", "/config", 200, textType, "token: <secret>"},
		{"HEAD", "/config", 200, textType, ""},
		{"GET", "/sd", 200, jsonType, `"studio"`},
		{"HEAD", "/sd", 200, jsonType, ""},
		{"GET", "/sessions.json", 200, jsonType, `"not_probed"`},
		{"GET", "/runbook", 200, pageType, "<!doctype html>"},
		{"POST", "/probe-all", 303, "", ""},
		{"GET", "/-/healthy", 200, textType, "healthy"},
		{"HEAD", "/-/healthy", 200, textType, ""},
		{"GET", "/-/ready", 200, textType, "ready"},
		{"HEAD", "/-/ready", 200, textType, ""},
		{"POST", "/-/reload", 403, textType, "--web.enable-lifecycle"},
		{"GET", "/debug/pprof/", 404, textType, "not found"},
		{"GET", "/debug/pprof/cmdline", 404, textType, "not found"},
		{"GET", "/favicon.ico", 404, textType, "not found"},
		{"GET", "/metrics/", 404, textType, "not found"},
		{"GET", "/probe/studio", 404, textType, "not found"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := r.do(c.method, c.path)
			got.want(t, c.status, c.body)
			if got := got.header.Get("Content-Type"); got != c.contentType {
				t.Errorf("Content-Type %q, want %q", got, c.contentType)
			}
			cache := "no-store"
			if c.contentType == styleType || c.contentType == scriptType {
				cache = "no-cache"
			}
			if got := got.header.Get("Cache-Control"); got != cache {
				t.Errorf("Cache-Control %q, want %q", got, cache)
			}
			if c.method == http.MethodHead && got.body != "" {
				t.Errorf("the answer to a HEAD has a body: %.100q", got.body)
			}
		})
	}
}

func TestWrongMethod(t *testing.T) {
	r := newRig(t, fleet, func(o *Options) { o.Lifecycle, o.Pprof = true, true })
	for _, c := range []struct{ method, path, allow string }{
		{"POST", "/", "GET, HEAD"},
		{"PUT", "/style.css", "GET, HEAD"},
		{"POST", "/live.js", "GET, HEAD"},
		{"PUT", "/session?target=studio&session=playout", "GET, HEAD, POST"},
		{"GET", "/retry-login?target=studio&session=playout", "POST"},
		{"POST", "/metrics", "GET, HEAD"},
		{"DELETE", "/probe?target=studio", "GET, HEAD"},
		{"GET", "/probe-all", "POST"},
		{"POST", "/sessions.json", "GET, HEAD"},
		{"POST", "/runbook", "GET, HEAD"},
		{"POST", "/config", "GET, HEAD"},
		{"POST", "/sd", "GET, HEAD"},
		{"OPTIONS", "/-/healthy", "GET, HEAD"},
		{"POST", "/-/ready", "GET, HEAD"},
		{"GET", "/-/reload", "POST"},
		{"PUT", "/-/reload", "POST"},
		{"POST", "/debug/pprof/profile", "GET, HEAD"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := r.do(c.method, c.path)
			got.want(t, http.StatusMethodNotAllowed)
			if got := got.header.Get("Allow"); got != c.allow {
				t.Errorf("Allow %q, want %q", got, c.allow)
			}
		})
	}
	if n := r.probed(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}

func TestProfiles(t *testing.T) {
	r := newRig(t, fleet, func(o *Options) { o.Pprof = true })
	for _, c := range []struct{ path, body string }{
		{"/debug/pprof/", "goroutine"},
		{"/debug/pprof/goroutine?debug=1", "goroutine profile"},
		{"/debug/pprof/cmdline", ""},
		{"/debug/pprof/symbol", "num_symbols"},
		{"/debug/pprof/trace?seconds=0.01", ""},
	} {
		t.Run(c.path, func(t *testing.T) { r.get(c.path).want(t, http.StatusOK, c.body) })
	}
}

func TestTelemetryPathMoves(t *testing.T) {
	r := newRig(t, fleet, func(o *Options) { o.TelemetryPath = "/hmp/metrics" })
	r.get("/hmp/metrics").want(t, http.StatusOK, playout)
	r.get("/metrics").want(t, http.StatusNotFound)
	r.get("/").want(t, http.StatusOK, `href="./hmp/metrics"`)
}
