package web

import (
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/version"
	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/report"
)

// TestEveryResult is that each result has a severity, a color, and a section of the runbook.
func TestEveryResult(t *testing.T) {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for n := range all(pageOf(t, "/runbook").root, "h3") {
		sections = append(sections, "runbook#"+attribute(n, "id"))
	}
	names := []string{collector.Panicked, report.NotProbed}
	for _, r := range hmp.Results {
		names = append(names, string(r.Result))
	}
	for _, name := range names {
		if severity(name) < 0 || !strings.Contains(string(style), ".r-"+name+" {") {
			t.Errorf("%s has no severity or no color", name)
		}
		if link := infoOf(name).Runbook; !slices.Contains(sections, link) && name != valid && name != report.NotProbed {
			t.Errorf("%s leads to %q, which is no section of the runbook", name, link)
		}
	}
	if len(bySeverity) != len(names) {
		t.Errorf("%d results have a severity, and there are %d", len(bySeverity), len(names))
	}
}

// TestHistoryChart is that a failed probe has the full height, and a valid one the higher the
// slower it was.
func TestHistoryChart(t *testing.T) {
	got := newHistoryChart([]collector.Point{
		{ResultName: valid, Duration: 4 * time.Millisecond, Start: time.Now()},
		{ResultName: "dns", Duration: time.Second, Start: time.Now()},
		{ResultName: valid, Duration: time.Millisecond, Start: time.Now()},
	})
	want := historyChart{
		Paths: []resultPath{{"dns", "M232 40v-40h3v40z"}, {valid, "M236 40v-26h3v26zM228 40v-16h3v16z"}},
		Text:  "3 probes, 2 valid, the oldest just now",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLinks is that no link or form of a page is dead, and that all stay below the prefix, also
// behind a proxy that does not remove it.
func TestLinks(t *testing.T) {
	for prefix, externalURL := range map[string]string{"/": "", "/team/hmp/": "https://proxy.example/team/hmp/"} {
		base, err := NewBaseURL(externalURL, "")
		if err != nil {
			t.Fatal(err)
		}
		e := newExporter(t, threeSessions, lifecycle, func(o *Options) { o.BaseURL, o.Pprof = base, true })
		e.get(prefix+"metrics").want(t, http.StatusOK)
		for _, path := range []string{"", "?target=studio&sort=name", playoutPage[1:], "runbook"} {
			e.checkLinks(prefix+path, prefix)
			for _, link := range []string{"style.css", "live.js", "-/ready", "debug/pprof/goroutine"} {
				e.get(resolve(t, prefix+path, link)).want(t, http.StatusOK)
			}
			links := e.get(prefix + path).page(t).links()
			for _, link := range []string{"./metrics", "runbook", "config", "sd", "sessions.json", "-/healthy"} {
				if !slices.Contains(links, link) {
					t.Errorf("%s%s: there is no link to %s", prefix, path, link)
				}
			}
		}
		e.do(http.MethodPost, prefix+"-/reload").want(t, http.StatusOK)
		if prefix == "/" {
			continue
		}
		for _, path := range []string{"/", "/team/hmp"} {
			got := e.get(path)
			got.want(t, http.StatusFound)
			if to := resolve(t, path, got.header.Get("Location")); to != prefix {
				t.Errorf("%s leads to %s", path, to)
			}
		}
		for _, path := range []string{"/metrics", "/-/healthy", "/sd", "/style.css"} {
			e.get(path).want(t, http.StatusNotFound)
		}
	}
}

// checkLinks follows the links and forms of a page. All must stay below a prefix.
func (e *exporter) checkLinks(path, prefix string) {
	e.t.Helper()
	follow := func(page, link string) string {
		e.t.Helper()
		to := resolve(e.t, page, link)
		if !strings.HasPrefix(to, prefix) {
			e.t.Errorf("%s leads to %s, which is not below %s", page, to, prefix)
		}
		return to
	}
	page := e.get(path).page(e.t)
	for _, link := range page.links() {
		if !strings.HasPrefix(link, "#") {
			e.get(follow(path, link)).want(e.t, http.StatusOK)
		}
	}
	for form := range all(page.root, "form") {
		action := follow(path, attribute(form, "action"))
		if attribute(form, "method") != "post" {
			e.get(action).want(e.t, http.StatusOK)
			continue
		}
		got := e.do(http.MethodPost, action, "Origin", "https://proxy.example", "Sec-Fetch-Site", "same-origin")
		got.want(e.t, http.StatusSeeOther)
		e.get(follow(action, got.header.Get("Location"))).want(e.t, http.StatusOK, "just now")
	}
}

// resolve returns the path and the query that a link of a page leads to.
func resolve(t *testing.T, page, link string) string {
	t.Helper()
	base, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	to, err := base.Parse(link)
	if err != nil || to.Host != "" {
		t.Fatalf("%s leads to %s, %v", page, link, err)
	}
	return to.RequestURI()
}

// TestPagesAreSafe is that text of an HMP, a name or an error stays text.
func TestPagesAreSafe(t *testing.T) {
	const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}&session=x`
	defer func(before string) { version.Version = before }(version.Version)
	version.Version = "v" + markup
	result := collector.Result{
		Target: "t" + markup, Session: "s" + markup, Start: time.Unix(0, 0), Duration: 1500 * time.Millisecond,
		Answer: hmp.Answer{
			Result: hmp.TLS, Reason: "r" + markup, Code: hmp.Code("c" + markup), Details: hmp.Details{ServiceMessages: new(1), MessageTexts: []string{"m" + markup}},
			Exchanges: []hmp.Exchange{{Method: "GET", Result: hmp.TLS, StatusCode: 200, Request: hmp.RedactedHeader("N" + markup + ": v" + markup + "\n"), Response: hmp.RedactedHeader("N" + markup + "\n")}},
		},
	}
	for _, path := range []string{"/", sessionPath + "?target=" + url.QueryEscape(result.Target) + "&session=" + url.QueryEscape(result.Session)} {
		page := pageOf(t, path, result)
		for _, part := range []string{"v", "t", "s", "r", "m"} {
			if !strings.Contains(text(page.root), part+strings.Join(strings.Fields(markup), " ")) {
				t.Errorf("%s: the text %q is not there as it is", path, part)
			}
		}
		for n := range page.root.Descendants() {
			isScript := n.Data == "script" && (attribute(n, "src") != "live.js" || n.FirstChild != nil)
			if n.Type == html.ElementNode && (isScript || n.Data == "img" || attribute(n, "onerror") != "") {
				t.Errorf("%s: markup has made an element %s", path, n.Data)
			}
		}
		for _, link := range page.links() {
			if strings.ContainsAny(link, `<>"' `) || strings.Count(link, "session=") > 1 {
				t.Errorf("%s: the link %q is not escaped", path, link)
			}
		}
	}
}

// A page is an answer, parsed as a browser does it.
type page struct{ root *html.Node }

func (r reply) page(t *testing.T) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return page{root}
}

// pageOf returns a page of an exporter with results.
func pageOf(t *testing.T, path string, results ...collector.Result) page {
	t.Helper()
	r := serve(t, newHandler(t, &fake{results: results}), http.MethodGet, path)
	r.want(t, http.StatusOK)
	return r.page(t)
}

// all returns the elements of some kinds.
func all(root *html.Node, kinds ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && slices.Contains(kinds, n.Data) && !yield(n) {
				return
			}
		}
	}
}

// text returns what a reader sees of an element, on one line.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.Data == "br":
			b.WriteString("\n")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// rows returns the cells of the table of sessions.
func (p page) rows() [][]string {
	var rows [][]string
	for body := range all(p.root, "tbody") {
		for tr := range all(body, "tr") {
			var cells []string
			for cell := range all(tr, "td", "th") {
				cells = append(cells, text(cell))
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func (p page) links() []string {
	var links []string
	for a := range all(p.root, "a") {
		links = append(links, attribute(a, "href"))
	}
	return links
}
