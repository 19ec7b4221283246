package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

const notProbed = "Let Prometheus scrape /metrics or /probe."

func TestIndex(t *testing.T) {
	r := newRig(t, fleet)
	before := [][]string{
		{"studio", "playout", "not probed yet", notProbed, "", "probe"},
		{"studio", "archive", "not probed yet", notProbed, "", "probe"},
		{"tower", "relay", "not probed yet", notProbed, "", "probe"},
	}
	if diff := cmp.Diff(before, r.get("/").page(t).rows()); diff != "" {
		t.Errorf("before a scrape (-want +got):\n%s", diff)
	}
	if n := r.probed(); n != 0 {
		t.Errorf("the page has made %d probes, want none", n)
	}

	r.get("/probe?target=studio").want(t, http.StatusOK)
	rows := r.get("/").page(t).rows()
	for _, row := range rows[:2] {
		if !strings.Contains(row[4], " UTC, 0.") {
			t.Errorf("%q is not when a probe was made and how long it took", row[4])
		}
		row[4] = "time"
	}
	after := [][]string{
		{"studio", "playout", "valid HMP confirmed the session", "Nothing to do.", "time", "probe"},
		{"studio", "archive", "no_roles HMP knows the user, but the user has no role", "Assign a role to the user in HMP.", "time", "probe"},
		{"tower", "relay", "not probed yet", notProbed, "", "probe"},
	}
	if diff := cmp.Diff(after, rows); diff != "" {
		t.Errorf("after a scrape of studio (-want +got):\n%s", diff)
	}
}

// TestIndexLinks is that no link of the page is dead, and that all are relative:
// the exporter may stand behind a prefix.
func TestIndexLinks(t *testing.T) {
	r := newRig(t, fleet)
	links := r.get("/").page(t).links()
	want := []string{"./metrics", "config", "-/ready", "probe?target=studio&session=playout"}
	for _, link := range want {
		if !slices.Contains(links, link) {
			t.Errorf("there is no link to %s", link)
		}
	}
	for _, link := range links {
		if strings.HasPrefix(link, "/") || strings.Contains(link, "//") {
			t.Errorf("%q is not relative", link)
			continue
		}
		r.get("/"+strings.TrimPrefix(link, "./")).want(t, http.StatusOK)
	}
}

// TestIndexIsSafe is that what an HMP, a name or an error says stays text.
func TestIndexIsSafe(t *testing.T) {
	const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}&session=x`
	hostile := collector.Result{
		Target: "t" + markup, Session: "s" + markup, Start: time.Unix(0, 0), Duration: 1500 * time.Millisecond,
		Answer: hmp.Answer{Outcome: hmp.TLS, Reason: "r" + markup, Details: hmp.Details{MessageTexts: []string{"m" + markup}}},
	}
	harmless := hostile
	harmless.Target, harmless.Session, harmless.Reason, harmless.Details.MessageTexts = "t", "s", "r", []string{"m"}

	safe := pageOf(t, harmless)
	got := pageOf(t, hostile)
	if diff := cmp.Diff(safe.elements(), got.elements()); diff != "" {
		t.Errorf("markup has made elements (-without +with):\n%s", diff)
	}
	if diff := cmp.Diff(safe.attributes(), got.attributes()); diff != "" {
		t.Errorf("markup has made attributes (-without +with):\n%s", diff)
	}
	info := hmp.TLS.Info()
	want := [][]string{{"t" + markup, "s" + markup, "tls " + info.Meaning + " r" + markup, info.Advice, "1970-01-01 00:00:00 UTC, 1.500 s", "probe"}}
	if diff := cmp.Diff(want, got.rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for _, link := range got.links() {
		if strings.ContainsAny(link, `<>"' `) || strings.Count(link, "session=") > 1 {
			t.Errorf("the link %q is not escaped", link)
		}
	}
}

// pageOf returns the index page with a result.
func pageOf(t *testing.T, r collector.Result) page {
	t.Helper()
	server := httptest.NewServer(handlerOf(t, &fake{results: []collector.Result{r}}))
	t.Cleanup(server.Close)
	return do(t, newClient(t), http.MethodGet, server.URL).page(t)
}

func TestIndexHeader(t *testing.T) {
	r := newRig(t, fleet)
	got := r.get("/")
	want := http.Header{
		"Content-Type":            {pageType},
		"Content-Security-Policy": {"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		"X-Content-Type-Options":  {"nosniff"},
		"Referrer-Policy":         {"no-referrer"},
	}
	got.header.Del("Date")
	got.header.Del("Content-Length")
	if diff := cmp.Diff(want, got.header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}

	// What the policy forbids is not there, or it would be missing from the page.
	for _, name := range got.page(t).attributes() {
		if name == "style" || strings.HasPrefix(name, "on") {
			t.Errorf("the page has an attribute %s", name)
		}
	}
	for _, kind := range []string{"style", "script", "img", "iframe", "form", "base", "object"} {
		if n := got.page(t).elements()[kind]; n != 0 {
			t.Errorf("the page has %d elements %s", n, kind)
		}
	}
}
