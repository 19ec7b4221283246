package web

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-kit/log"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// TestPagePanics is that a panic costs only one answer. The log has one line about it, without
// the value, which can be a secret.
func TestPagePanics(t *testing.T) {
	for path, page := range map[string]string{"/metrics": "GET /metrics", "/probe?target=studio": "GET /probe", "/": "GET /{$}"} {
		t.Run(page, func(t *testing.T) {
			logged := canary.NewLog(t)
			handler := newHandler(t, &fake{panics: func() { panic(errors.New("CANARY-token")) }}, maxRequests(1), logTo(logged))
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
			for _, want := range []string{"panic=*errors.errorString", "TestPagePanics", `page="` + page + `"`} {
				if !strings.Contains(logged.String(), want) {
					t.Errorf("the log does not say %s:\n%.500s", want, logged)
				}
			}
		})
	}
}

// TestPanicInAnAnswer is that an answer that has begun does not look complete.
func TestPanicInAnAnswer(t *testing.T) {
	for what, wantLines := range map[error]int{errors.New("CANARY"): 1, http.ErrAbortHandler: 0} {
		synctest.Test(t, func(t *testing.T) {
			logged := canary.NewLog(t)
			handler := recoverPanics(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", textType)
				_, _ = io.WriteString(w, "hmp_up 1\n")
				_ = http.NewResponseController(w).Flush()
				panic(what)
			}), log.NewLogfmtLogger(logged))
			got := talk(t, newPipeServer(t, handler, "", nil).dial(nil), saying(0, request("/")), 0)
			if !strings.HasSuffix(got.answer, "\r\n9\r\nhmp_up 1\n\r\n") { // a whole answer would have a last chunk of length 0
				t.Errorf("got %q", got.answer)
			}
			if lines := strings.Count(logged.String(), "\n"); lines != wantLines {
				t.Errorf("the log has %d lines, want %d:\n%s", lines, wantLines, logged)
			}
		})
	}
}

// TestFailedAnswer is that an answer that the exporter cannot write to its end does not look
// complete, and that the log has one line about it.
func TestFailedAnswer(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		synctest.Test(t, func(t *testing.T) {
			logged := canary.NewLog(t)
			handler := recoverPanics(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", textType)
				_ = writeBody(w, r, true, func(out *bufio.Writer) error {
					_, _ = out.WriteString("hmp_up 1\n")
					return errors.New("CANARY")
				})
			}), log.NewLogfmtLogger(logged))
			got := talk(t, newPipeServer(t, handler, "", nil).dial(nil), saying(0, request("/", "Accept-Encoding: "+encoding+"\r\n")), 0)
			if got.answer != "" {
				t.Errorf("%s: got %q, want no answer", encoding, got.answer)
			}
			if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "level=error ") {
				t.Errorf("%s: the log is %q", encoding, text)
			}
		})
	}
}

// TestHeadersOfTheWebConfiguration is that the web configuration can replace the policy of the
// pages, for example to show them in a frame.
func TestHeadersOfTheWebConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	const policy = "frame-ancestors https://grafana.example"
	exportertest.WriteFile(t, file, "http_server_config: {headers: {Content-Security-Policy: '"+policy+"'}}\n")
	synctest.Test(t, func(t *testing.T) {
		got := newPipeServer(t, newHandler(t, new(fake)), file, nil).get("/")
		if p := got.header.Values("Content-Security-Policy"); !slices.Equal(p, []string{policy}) {
			t.Errorf("the policy is %q, want %q", p, policy)
		}
	})
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
		{"the page itself, in an old browser", "", []string{"Origin", "http://example.com"}, true},
		{"another site", "", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"another port", "", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://example.com:1"}, false},
		{"another site, in an old browser", "", []string{"Origin", "http://evil.example"}, false},
		{"a page that hides its origin", "", []string{"Origin", "null"}, false},
		{"a proxy", "https://proxy.example/", []string{"Origin", "https://proxy.example"}, true},
		{"a proxy with capital letters and the default port", "http://Proxy.example:80/", []string{"Origin", "http://proxy.example"}, true},
		{"an IPv6 proxy with the default port", "https://[FE80::1]:443/", []string{"Origin", "https://[fe80::1]"}, true},
		{"another port of a proxy", "https://proxy.example:80/", []string{"Origin", "https://proxy.example"}, false},
		{"another site behind a proxy", "https://proxy.example/", []string{"Origin", "https://evil.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, err := NewBaseURL(c.external, "")
			if err != nil {
				t.Fatal(err)
			}
			f := &fake{results: validResults(1)}
			handler := newHandler(t, f, lifecycle, func(o *Options) { o.BaseURL = base })
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
