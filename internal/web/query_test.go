package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

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

func result(target, session string, o hmp.Result, took, ago time.Duration) collector.Result {
	return collector.Result{Target: target, Session: session, Answer: hmp.Answer{Result: o, Responded: true}, Duration: took, Start: time.Now().Add(-ago)}
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

// TestStatusOfLargeFleet is that a page of many sessions stays a page, and that all of
// them can be reached by its links.
func TestStatusOfLargeFleet(t *testing.T) {
	const sessions, most = 10 * rowsPerPage, 600 << 10
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
