package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// TestStatusLinks is that no link of the page is dead, and that all are relative: the
// exporter may stand behind a prefix.
func TestStatusLinks(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/metrics")
	for _, path := range []string{"/", "/?target=studio&sort=name", "/session?target=studio&session=playout"} {
		root := r.get(path).page(t)
		links := append(root.links(), root.actions()...)
		for _, link := range links {
			if strings.HasPrefix(link, "/") || strings.Contains(link, "//") {
				t.Errorf("%s: %q is not relative", path, link)
			}
		}
		for _, link := range root.links() {
			if link != "#content" {
				r.get("/"+strings.TrimPrefix(link, "./")).want(t, http.StatusOK)
			}
		}
		for _, link := range []string{"./metrics", "config", "sd", "-/healthy"} {
			if !slices.Contains(links, link) {
				t.Errorf("%s: there is no link to %s", path, link)
			}
		}
	}
}

// actions returns where forms are sent.
func (p page) actions() []string {
	var actions []string
	for form := range all(p.root, "form") {
		actions = append(actions, attribute(form, "action"))
	}
	return actions
}

// TestPagesHaveNothingInline is that what the policy forbids is not there, or it would be
// missing from the page.
func TestPagesHaveNothingInline(t *testing.T) {
	for _, path := range []string{"/", "/session?target=t0&session=valid"} {
		got := pageOf(t, path, outcomesOf()...)
		for _, name := range got.attributes() {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("%s has an attribute %s", path, name)
			}
		}
		for _, kind := range []string{"style", "img", "iframe", "base", "object"} {
			if n := got.elements()[kind]; n != 0 {
				t.Errorf("%s has %d elements %s", path, n, kind)
			}
		}
		if n := got.foreignScripts(); n != 0 {
			t.Errorf("%s has %d scripts that are not the program's", path, n)
		}
	}
}

// TestPagesAreSafe is that what an HMP, a name or an error says stays text.
func TestPagesAreSafe(t *testing.T) {
	const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}&session=x`
	marked := func(markup string) collector.Result {
		return collector.Result{
			Target: "t" + markup, Session: "s" + markup, Start: time.Unix(0, 0), Duration: 1500 * time.Millisecond,
			Answer: hmp.Answer{
				Result: hmp.TLS, Reason: "r" + markup, Code: hmp.Code("c" + markup), Details: hmp.Details{ServiceMessages: new(1), MessageTexts: []string{"m" + markup}},
				Exchanges: []hmp.Exchange{{Method: "GET", Result: hmp.TLS, StatusCode: 200, Request: hmp.Header("N" + markup + ": v" + markup + "\n"), Response: hmp.Header("N" + markup + "\n")}},
			},
		}
	}
	for _, path := range []string{"/", "/session?target=T&session=S"} {
		at := func(markup string) page {
			address := strings.NewReplacer("T", url.QueryEscape("t"+markup), "S", url.QueryEscape("s"+markup)).Replace(path)
			return pageOf(t, address, marked(markup))
		}
		safe, got := at(""), at(markup)
		if diff := cmp.Diff(safe.elements(), got.elements()); diff != "" {
			t.Errorf("%s: markup has made elements (-without +with):\n%s", path, diff)
		}
		if diff := cmp.Diff(safe.attributes(), got.attributes()); diff != "" {
			t.Errorf("%s: markup has made attributes (-without +with):\n%s", path, diff)
		}
		for _, part := range []string{"t", "s", "r", "m"} {
			if !strings.Contains(text(got.root), part+strings.Join(strings.Fields(markup), " ")) {
				t.Errorf("%s: what is said by %q is not there as it is", path, part)
			}
		}
		for _, link := range append(got.links(), got.actions()...) {
			if strings.ContainsAny(link, `<>"' `) || strings.Count(link, "session=") > 1 {
				t.Errorf("%s: the link %q is not escaped", path, link)
			}
		}
	}
}

// TestStatusHeader is the header of a page, and that it is compressed for who likes that.
func TestStatusHeader(t *testing.T) {
	r := newRig(t, fleet)
	got := r.get("/", "Accept-Encoding", "gzip")
	want := http.Header{
		"Content-Type":            {pageType},
		"Content-Encoding":        {"gzip"},
		"Content-Security-Policy": {contentSecurityPolicy},
		"X-Content-Type-Options":  {"nosniff"},
		"Referrer-Policy":         {"same-origin"},
		"Cache-Control":           {"no-store"},
		"Vary":                    {"Accept-Encoding"},
	}
	got.header.Del("Date")
	got.header.Del("Content-Length")
	if diff := cmp.Diff(want, got.header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if plain := r.get("/"); len(plain.page(t).rows()) != 3 || len(got.page(t).rows()) != 3 {
		t.Error("the page is not the same with and without compression")
	}
}

// TestLabels is that every field and button of a page says what it is for.
func TestLabels(t *testing.T) {
	root := pageOf(t, "/", outcomesOf()...).root
	for n := range all(root, "input", "select") {
		if n.Parent.Data != "label" {
			t.Errorf("%s has no label", attribute(n, "name"))
		}
	}
	seen := make(map[string]bool)
	for n := range all(root, "button") {
		name := attribute(n, "aria-label") + attributeOr(n, text(n))
		if name == "" || seen[name] {
			t.Errorf("two buttons are called %q", name)
		}
		seen[name] = true
	}
}

func attributeOr(n *html.Node, other string) string {
	if attribute(n, "aria-label") != "" {
		return ""
	}
	return other
}
