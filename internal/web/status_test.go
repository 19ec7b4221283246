package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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

// TestStatus is what the page shows before and after a scrape, and that it does not
// probe by itself.
func TestStatus(t *testing.T) {
	r := newRig(t, fleet)
	got := r.get("/")
	got.want(t, http.StatusOK, "No problem is known of 3 sessions", "No probe has been made yet.", "Probe now")
	never := "No probe has been made yet. Let Prometheus scrape the exporter, or press Probe now."
	before := [][]string{
		{"studio/archive", "pending", never, "not probed yet", "", "", "never Probe now"},
		{"studio/playout", "pending", never, "not probed yet", "", "", "never Probe now"},
		{"tower/relay", "pending", never, "not probed yet", "", "", "never Probe now"},
	}
	if diff := cmp.Diff(before, got.page(t).rows()); diff != "" {
		t.Errorf("before a scrape (-want +got):\n%s", diff)
	}
	r.get("/session?target=studio&session=playout").want(t, http.StatusOK, "None yet.")
	if n := r.probed(); n != 0 {
		t.Errorf("the pages have made %d probes, want none", n)
	}

	r.get("/probe?target=studio").want(t, http.StatusOK)
	got = r.get("/")
	got.want(t, http.StatusOK, "1 of 3 sessions</a> is not valid", "1 not probed yet")
	rows := got.page(t).rows()
	for _, row := range [][]string{rows[0], rows[2]} {
		if !strings.Contains(row[4], "resolve 0 ms, connect ") {
			t.Errorf("%q is not how long a probe took", row[4])
		}
		row[3], row[4] = strings.TrimRight(row[3], "0123456789 s"), ""
	}
	after := [][]string{
		{"studio/archive", "no_roles", "HMP knows the user, but the user has no role. Assign a role to the user in HMP.", "1 probe, 0 valid, the oldest just now for", "", "", "just now Probe now"},
		{"tower/relay", "pending", never, "not probed yet", "", "", "never Probe now"},
		{"studio/playout", "valid", "HMP confirmed the session.", "1 probe, 1 valid, the oldest just now for", "", "1 service message", "just now Probe now"},
	}
	if diff := cmp.Diff(after, rows); diff != "" {
		t.Errorf("after a scrape of studio (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/", "/?target=tower&result=valid"} {
		tiles := r.get(path).page(t).tiles()
		if !slices.Equal(tiles, []string{"1 no_roles", "1 pending", "1 valid"}) {
			t.Errorf("%s: the counts are %q", path, tiles)
		}
	}
	if found := r.get("/?result=no_roles").page(t).rows(); len(found) != 1 {
		t.Errorf("a count of 1 leads to %d", len(found))
	}
}

// tiles returns the counts by result.
func (p page) tiles() []string {
	var tiles []string
	for ul := range all(p.root, "ul") {
		if attribute(ul, "class") == "tiles" {
			for li := range all(ul, "li") {
				tiles = append(tiles, text(li))
			}
		}
	}
	return tiles
}

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
			if link != "#content" && link != "sd" {
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

// outcomesOf returns a result for each that there is, and one each of a crash, a hold and no
// probe.
func outcomesOf() []collector.Result {
	var results []collector.Result
	for i, o := range collector.Results() {
		results = append(results, collector.Result{
			Target: "t" + fmt.Sprint(i%3), Session: string(o.Outcome), Answer: hmp.Answer{Outcome: o.Outcome, Responded: true},
			Start: time.Now().Add(-time.Duration(i) * time.Minute), Duration: time.Duration(i) * time.Millisecond, Timeout: time.Second,
		})
	}
	return append(results,
		collector.Result{Target: "t0", Session: "crash", Crashed: true, Start: time.Now(), Answer: hmp.Answer{Reason: "*errors.errorString"}},
		collector.Result{Target: "t0", Session: "held", Held: true, Start: time.Now(), Answer: hmp.Answer{Outcome: hmp.LoginRejected, Reason: "no login before noon"}},
		collector.Result{Target: "t0", Session: "new"})
}

// TestStatusOfResults is that each result is there in a word with its meaning and advice,
// and has a colour and a place in the order of gravity.
func TestStatusOfResults(t *testing.T) {
	got := pageOf(t, "/", outcomesOf()...)
	advice := make(map[string]string)
	for _, row := range got.rows() {
		advice[row[0]] = row[1] + ": " + row[2]
	}
	for i, o := range collector.Results() {
		name := fmt.Sprintf("t%d/%s", i%3, o.Outcome)
		want := string(o.Outcome) + ": " + sentence(o.Meaning) + " " + o.Advice
		if o.Outcome == hmp.Valid {
			want = "valid: HMP confirmed the session."
		}
		if advice[name] != want {
			t.Errorf("%s has %q, want %q", name, advice[name], want)
		}
	}
	for name, want := range map[string]string{
		"t0/crash": "defect of the exporter", "t0/held": "Nothing was sent this time, lest refused logins lock the account. no login before noon",
		"t0/new": "press Probe now", "t0/saturated": "--probe.max-concurrent",
	} {
		if name != "t0/saturated" && !strings.Contains(advice[name], want) {
			t.Errorf("%s has %q, want %q in it", name, advice[name], want)
		}
	}
	if !strings.HasPrefix(advice["t0/held"], "login_rejected logins held back: ") {
		t.Errorf("the hold has %q", advice["t0/held"])
	}

	for word, v := range verdicts {
		if !strings.Contains(string(styleCSS), ".r-"+word+" {") {
			t.Errorf("%s has no colour", word)
		}
		if !slices.Contains(gravest, word) || v.Meaning == "" || v.Advice == "" {
			t.Errorf("%s has no place in the order, or nothing to say: %+v", word, v)
		}
	}
	if len(gravest) != len(verdicts) {
		t.Errorf("%d words have a place, and there are %d", len(gravest), len(verdicts))
	}
}

// pageOf returns a page of an exporter that has some results.
func pageOf(t *testing.T, path string, results ...collector.Result) page {
	t.Helper()
	server := httptest.NewServer(handlerOf(t, &fake{results: results}))
	t.Cleanup(server.Close)
	r := do(t, newClient(t), http.MethodGet, server.URL+path)
	r.want(t, http.StatusOK)
	return r.page(t)
}

// TestStatusQuery is which sessions a query finds, and in which order.
func TestStatusQuery(t *testing.T) {
	results := []collector.Result{
		result("b", "one", hmp.Valid, 3*time.Millisecond, 4*time.Minute),
		result("a", "two", hmp.Timeout, 9*time.Millisecond, time.Minute),
		result("a", "Three", hmp.Valid, time.Millisecond, 3*time.Minute),
		{Target: "c", Session: "four"},
	}
	for query, want := range map[string]string{
		"":                            "a/two c/four a/Three b/one",
		"sort=name":                   "a/Three a/two b/one c/four",
		"sort=latency":                "a/two b/one a/Three c/four",
		"sort=changed":                "a/two a/Three b/one c/four",
		"sort=probed":                 "c/four b/one a/Three a/two",
		"target=a":                    "a/two a/Three",
		"target=a&q=THREE":            "a/Three",
		"q=a/t":                       "a/two a/Three",
		"q=+one+":                     "b/one",
		"result=problems":             "a/two",
		"result=valid&sort=name":      "a/Three b/one",
		"result=pending":              "c/four",
		"result=tls":                  "",
		"target=nowhere":              "",
		"q=%3Cscript%3E":              "",
		"page=7&sort=name":            "a/Three a/two b/one c/four",
		"page=-1&sort=name&unknown=1": "a/Three a/two b/one c/four",
	} {
		t.Run(query, func(t *testing.T) {
			got := pageOf(t, "/?"+query, results...)
			var names []string
			for _, row := range got.rows() {
				names = append(names, row[0])
			}
			if names := strings.Join(names, " "); names != want {
				t.Errorf("got %q, want %q", names, want)
			}
			if want == "" && !strings.Contains(text(got.root), "No session matches.") {
				t.Error("it does not say that there is none")
			}
			if asked, _ := url.ParseQuery(query); got.field("q") != strings.TrimSpace(asked.Get("q")) {
				t.Errorf("the form has %q", got.field("q"))
			}
		})
	}
}

func result(target, session string, o hmp.Outcome, took, ago time.Duration) collector.Result {
	return collector.Result{Target: target, Session: session, Answer: hmp.Answer{Outcome: o, Responded: true}, Duration: took, Start: time.Now().Add(-ago)}
}

// field is the value of an input.
func (p page) field(name string) string {
	for input := range all(p.root, "input") {
		if attribute(input, "name") == name {
			return attribute(input, "value")
		}
	}
	return ""
}

// TestStatusBadQuery is that a query without sense gets one clear error.
func TestStatusBadQuery(t *testing.T) {
	r := newRig(t, fleet)
	long := strings.Repeat("a", maxText+1)
	for query, want := range map[string]string{
		"sort=colour":               `there is no order "colour": choose problems, name, latency, changed or probed`,
		"result=fine":               `there is no result "fine": choose one of problems, crashed,`,
		"page=two":                  `page "two" is not a number: pages are counted from 1`,
		"page=99999999999999999999": `is not a number`,
		"q=a&q=b":                   `parameter "q" is given 2 times: give it once`,
		"q=%zz":                     "the parameters are malformed",
		"q=" + long:                 "what is searched for is too long: 200 bytes are the limit",
		"target=" + long:            "what is searched for is too long",
		"sort=" + long:              "there is no order",
		"result=%0d%0aX-Evil:+1":    `there is no result "\r\nX-Evil: 1"`,
	} {
		got := r.get("/?" + query)
		got.want(t, http.StatusBadRequest, want)
		if lines := strings.Count(got.body, "\n"); lines != 1 || len(got.body) > 500 {
			t.Errorf("%.100q: an error of %d lines and %d bytes", query, lines, len(got.body))
		}
	}
}

// TestStatusOfLargeFleet is that a page of 10,000 sessions stays a page, and that all of
// them can be reached by its links.
func TestStatusOfLargeFleet(t *testing.T) {
	const sessions, most = 10_000, 600 << 10
	results := make([]collector.Result, sessions)
	for i := range results {
		results[i] = result(fmt.Sprintf("target-%d", i/4), fmt.Sprintf("session-%d", i), hmp.Valid, time.Millisecond, time.Minute)
	}
	server := httptest.NewServer(handlerOf(t, &indexed{fake: fake{results: results}}))
	defer server.Close()
	seen := make(map[string]bool)
	pages := 0
	for link := "?sort=name"; link != ""; pages++ {
		r := do(t, newClient(t), http.MethodGet, server.URL+"/"+strings.TrimPrefix(link, "./"))
		r.want(t, http.StatusOK)
		if len(r.body) > most {
			t.Fatalf("a page has %d bytes, want %d at most", len(r.body), most)
		}
		if pages == 0 {
			t.Logf("a page has %d bytes", len(r.body))
		}
		root := r.page(t)
		for _, row := range root.rows() {
			seen[row[0]] = true
		}
		link = root.next()
	}
	if len(seen) != sessions || pages != sessions/rowsPerPage {
		t.Errorf("%d pages have %d sessions", pages, len(seen))
	}
}

// indexed is a fake that finds sessions by their number.
type indexed struct{ fake }

func (f *indexed) History(_, session string) (collector.History, error) {
	var i int
	_, err := fmt.Sscanf(session, "session-%d", &i)
	return historyOf(f.results[i]), err
}

func (p page) next() string {
	for a := range all(p.root, "a") {
		if attribute(a, "rel") == "next" {
			return attribute(a, "href")
		}
	}
	return ""
}

// TestStatusOfReload is that the page says so when the configuration in force is not the
// one in the file.
func TestStatusOfReload(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/").want(t, http.StatusOK, "Configuration loaded <time")
	r.configure("targets: 7")
	if err := r.store.Reload(); err == nil {
		t.Fatal("the reload did not fail")
	}
	for _, path := range []string{"/", "/session?target=studio&session=playout"} {
		r.get(path).want(t, http.StatusOK, "The last reload of the configuration failed.", "hmp_exporter check")
	}
	newRig(t, "").get("/").want(t, http.StatusOK, "No configuration has been loaded.", "No session is configured")
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
				Outcome: hmp.TLS, Reason: "r" + markup, Code: hmp.Code("c" + markup), Details: hmp.Details{ServiceMessages: new(1), MessageTexts: []string{"m" + markup}},
				Exchanges: []hmp.Exchange{{Method: "GET", Outcome: hmp.TLS, StatusCode: 200, Request: hmp.Header("N" + markup + ": v" + markup + "\n"), Response: hmp.Header("N" + markup + "\n")}},
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
		"Content-Security-Policy": {policy},
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
