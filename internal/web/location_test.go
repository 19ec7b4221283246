package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestLocation is what the two flags come to, as in Prometheus.
func TestLocation(t *testing.T) {
	for _, c := range []struct{ external, prefix, want string }{
		{"", "", ""},
		{"", "/", ""},
		{"", "hmp/", "/hmp"},
		{"", "/a/b", "/a/b"},
		{"https://proxy.example", "", ""},
		{"https://proxy.example/hmp/", "", "/hmp"},
		{"/hmp/", "", "/hmp"},
		{"https://proxy.example/hmp", "/", ""},
		{"https://proxy.example/hmp", "/other", "/other"},
		{"proxy.example/hmp", "", "--web.external-url has to be a URL"},
		{"ftp://proxy.example/", "", "--web.external-url has to be a URL"},
		{"https://a:CANARY@proxy.example/", "", "--web.external-url has to be a URL"},
		{"https://proxy.example/?a=b", "", "--web.external-url has to be a URL"},
		{"", "/{hmp}", "is not a path"},
		{"", "/a/../b", "is not a path"},
	} {
		l, err := NewLocation(c.external, c.prefix)
		switch {
		case err == nil && l.Prefix != c.want, err != nil && !strings.Contains(err.Error(), c.want), err != nil && strings.Contains(err.Error(), "CANARY"):
			t.Errorf("%s, %s: %q, error %v, want %q", c.external, c.prefix, l.Prefix, err, c.want)
		case err == nil:
			if address, err := HealthURL(webFlags("", "localhost:1"), l); err != nil || address != "http://localhost:1"+c.want+"/-/healthy" {
				t.Errorf("%s, %s: its health is at %s, %v", c.external, c.prefix, address, err)
			}
		}
	}
}

// TestPrefix is the exporter behind a proxy that does not remove the prefix: all links, forms
// and redirects stay below it.
func TestPrefix(t *testing.T) {
	location, err := NewLocation("https://proxy.example/team/hmp/", "")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, fleet, func(o *Options) { o.Location, o.Lifecycle, o.Pprof = location, true, true })
	resolve := func(page, link string) string {
		base, _ := url.Parse(page)
		to, err := base.Parse(link)
		if err != nil || !strings.HasPrefix(to.Path, "/team/hmp/") {
			t.Fatalf("%s leads to %s, %v", page, link, err)
		}
		return to.RequestURI()
	}
	for _, page := range []string{"/team/hmp/", "/team/hmp/?target=studio", "/team/hmp/session?target=studio&session=playout", "/team/hmp/runbook"} {
		got := r.get(page)
		got.want(t, http.StatusOK, `href="style.css"`)
		for _, link := range append(got.page(t).links(), "style.css", "live.js", "-/ready", "debug/pprof/goroutine") {
			if !strings.HasPrefix(link, "#") {
				r.get(resolve(page, link)).want(t, http.StatusOK)
			}
		}
		for _, action := range got.page(t).actions() {
			if action == "./" {
				continue // of the filter
			}
			posted := r.do(http.MethodPost, resolve(page, action), "Origin", "https://proxy.example", "Sec-Fetch-Site", "same-origin")
			posted.want(t, http.StatusSeeOther)
			r.get(resolve(resolve(page, action), posted.header.Get("Location"))).want(t, http.StatusOK)
		}
	}
	for _, path := range []string{"/", "/team/hmp"} {
		got := r.get(path)
		got.want(t, http.StatusFound)
		if to := resolve(path, got.header.Get("Location")); to != "/team/hmp/" {
			t.Errorf("%s leads to %s", path, to)
		}
	}
	r.do(http.MethodPost, "/team/hmp/-/reload").want(t, http.StatusOK)
	for _, path := range []string{"/metrics", "/-/healthy", "/sd", "/style.css"} {
		r.get(path).want(t, http.StatusNotFound)
	}
}

// TestExternalOrigin is that buttons work behind a proxy that does not pass the header Host on,
// once it is known where the pages are.
func TestExternalOrigin(t *testing.T) {
	for external, status := range map[string]int{"": http.StatusForbidden, "https://proxy.example/": http.StatusSeeOther} {
		location, err := NewLocation(external, "")
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, fleet, func(o *Options) { o.Location = location })
		for origin, want := range map[string]int{"https://proxy.example": status, "https://evil.example": http.StatusForbidden} {
			r.do(http.MethodPost, "/probe-all", "Origin", origin).want(t, want)
		}
	}
}
