package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// TestStatus is the status page after a scrape of one target. It does not probe.
func TestStatus(t *testing.T) {
	e := newExporter(t, threeSessions)
	e.get("/probe?target=studio").want(t, http.StatusOK)
	probes := e.probes()
	got := e.get("/")
	got.want(t, http.StatusOK, "1 of 3 sessions</a> is not valid", "1 not probed yet", "Configuration loaded <time")
	rows := got.page(t).rows()
	for _, row := range [][]string{rows[0], rows[2]} {
		if !strings.Contains(row[4], "resolve 0 ms, connect ") {
			t.Errorf("%q is not how long a probe took", row[4])
		}
		row[3], row[4] = strings.TrimRight(row[3], "0123456789 s"), ""
	}
	want := [][]string{
		{"studio/archive", "no_roles", "HMP knows the user, but the user has no role. Assign a role to the user in HMP. Runbook", "1 probe, 0 valid, the oldest just now In this state for", "", "", "", "", "just now Probe now"},
		{"tower/relay", "not_probed", "No probe has been made yet. Let Prometheus scrape the exporter, or probe now with a button on this page.", "not probed yet", "", "", "", "", "never Probe now"},
		{"studio/playout", "valid", "HMP confirmed the session.", "1 probe, 1 valid, the oldest just now In this state for", "", "", "", "1", "just now Probe now"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if n := e.probes() - probes; n != 0 {
		t.Errorf("the page has made %d probes", n)
	}
}

// TestHeadline is that the status page says that all is well only if all was probed.
func TestHeadline(t *testing.T) {
	valid := collector.Result{Target: "t", Session: "valid", Answer: hmp.Answer{Result: hmp.Valid}}
	invalid := collector.Result{Target: "t", Session: "invalid", Answer: hmp.Answer{Result: hmp.DNS}}
	fresh := collector.Result{Target: "t", Session: "fresh"}
	for want, results := range map[string][]collector.Result{
		"No session is configured on 0 targets":     nil,
		"1 session, not probed yet on 1 target":     {fresh},
		"2 sessions, not probed yet on 1 target":    {fresh, fresh},
		"1 of 2 sessions is valid on 1 target":      {fresh, valid},
		"1 of 3 sessions is not valid on 1 target":  {fresh, valid, invalid},
		"The session is valid on 1 target":          {valid},
		"All 2 sessions are valid on 1 target":      {valid, valid},
		"2 of 2 sessions are not valid on 1 target": {invalid, invalid},
	} {
		for h1 := range all(pageOf(t, "/", results...).root, "h1") {
			if got := text(h1); got != want {
				t.Errorf("the page says %q, want %q", got, want)
			}
		}
	}
}

// TestFilter is which sessions a query finds, and in which order.
func TestFilter(t *testing.T) {
	result := func(target, session string, name hmp.Result, took, ago time.Duration) collector.Result {
		return collector.Result{Target: target, Session: session, Answer: hmp.Answer{Result: name, Responded: true}, Duration: took, Start: time.Now().Add(-ago)}
	}
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
		"result=not_probed":           "c/four",
		"result=pending":              "c/four",
		"result=tls":                  "",
		"target=nowhere":              "",
		"q=%3Cscript%3E":              "",
		"page=7&sort=name":            "a/Three a/two b/one c/four",
		"page=-1&sort=name&unknown=1": "a/Three a/two b/one c/four",
	} {
		got := pageOf(t, "/?"+query, results...)
		var names []string
		for _, row := range got.rows() {
			names = append(names, row[0])
		}
		if names := strings.Join(names, " "); names != want {
			t.Errorf("%s: got %q, want %q", query, names, want)
		}
		if want == "" && !strings.Contains(text(got.root), "No session matches.") {
			t.Errorf("%s: it does not say that there is none", query)
		}
	}
	for query, want := range map[string]string{"target=a": "a", "target=nowhere": "nowhere", "result=tls": ""} {
		for choice := range all(pageOf(t, "/?"+query, results...).root, "select") {
			if got := selected(choice); attribute(choice, "name") == "target" && got != want {
				t.Errorf("%s: the form has the target %q, want %q", query, got, want)
			}
		}
	}
	long := strings.Repeat("a", maxText+1)
	for query, want := range map[string]string{
		"sort=colour":               `there is no order "colour": choose problems, name, latency, changed or probed`,
		"result=fine":               `there is no result "fine": choose one of problems, crashed,`,
		"page=99999999999999999999": `is not a number: pages are counted from 1`,
		"q=a&q=b":                   `parameter "q" is given 2 times: give it once`,
		"q=%zz":                     "the parameters are malformed",
		"target=" + long:            "what is searched for is too long: 200 bytes are the limit",
		"sort=" + long:              "there is no order",
		"result=%0d%0aX-Evil:+1":    `there is no result "\r\nX-Evil: 1"`,
	} {
		got := serve(t, newHandler(t, new(fake)), http.MethodGet, "/?"+query)
		got.want(t, http.StatusBadRequest, want)
		if lines := strings.Count(got.body, "\n"); lines != 1 || len(got.body) > 500 {
			t.Errorf("%.100q: an error of %d lines and %d bytes", query, lines, len(got.body))
		}
	}
}

// selected returns the option of a list that is selected, or "" for the default.
func selected(list *html.Node) string {
	for option := range all(list, "option") {
		if slices.ContainsFunc(option.Attr, func(a html.Attribute) bool { return a.Key == "selected" }) {
			return text(option)
		}
	}
	return ""
}

// TestManySessions is that a page has a bounded size, and that its links lead to all sessions.
func TestManySessions(t *testing.T) {
	const sessions, maxSize = 5 * rowsPerPage, 600 << 10
	results := validResults(sessions)
	for i := range results {
		results[i].Target += fmt.Sprint(i)
	}
	handler := newHandler(t, &fake{results: results})
	seen := make(map[string]bool)
	for link := "./?sort=name"; link != ""; {
		got := serve(t, handler, http.MethodGet, link[1:])
		got.want(t, http.StatusOK, fmt.Sprintf("%d to %d of %d", len(seen)+1, len(seen)+rowsPerPage, sessions))
		page := got.page(t)
		if len(got.body) > maxSize || strings.Contains(got.body, `<select name="target"`) {
			t.Fatalf("a page has %d bytes, want %d at most, and no list of all targets", len(got.body), maxSize)
		}
		if !slices.Contains(page.links(), "./?sort=latency") {
			t.Errorf("another order does not begin at page 1: %q", page.links())
		}
		for _, row := range page.rows() {
			seen[row[0]] = true
		}
		link = ""
		for a := range all(page.root, "a") {
			if attribute(a, "rel") == "next" {
				link = attribute(a, "href")
			}
		}
	}
	if len(seen) != sessions {
		t.Errorf("the pages have %d sessions, want %d", len(seen), sessions)
	}
}

// TestSessionsJSON is that /sessions.json has the last results without hidden messages, and does
// not probe.
func TestSessionsJSON(t *testing.T) {
	e := newExporter(t, threeSessions)
	e.get("/probe?target=studio")
	probes := e.probes()
	got := e.get("/sessions.json")
	got.want(t, http.StatusOK)
	var document struct {
		Sessions []struct{ Target, Session, Result string }
	}
	if err := json.Unmarshal([]byte(got.body), &document); err != nil {
		t.Fatal(err)
	}
	want := "[{studio playout valid} {studio archive no_roles} {tower relay }]"
	if results := fmt.Sprint(document.Sessions); results != want || e.probes() != probes || strings.Contains(got.body, "Password change required") {
		t.Errorf("got %s, want %s; %d probes:\n%s", results, want, e.probes()-probes, got.body)
	}
}
