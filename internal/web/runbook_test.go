package web

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hmp_exporter/collector"
)

// TestRunbook is that the page has an anchor for every alert and every result, in the layout
// of the site, without a script.
func TestRunbook(t *testing.T) {
	got := pageOf(t, "/runbook", outcomesOf()...)
	var anchors []string
	for n := range all(got.root, "h1", "h2", "h3", "main") {
		anchors = append(anchors, attribute(n, "id"))
	}
	want := []string{"where-to-look"}
	for _, r := range collector.Results() {
		want = append(want, "result-"+string(r.Result))
	}
	files, err := filepath.Glob("../../dashboards/alerts/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	alerts := 0
	for _, file := range files {
		rules, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\n *- alert: (\w+)\n(?s:.*?)runbook_url`).FindAllStringSubmatch(string(rules), -1) {
			want = append(want, strings.ToLower(match[1]))
			alerts++
		}
	}
	if alerts < 20 {
		t.Errorf("there are %d alerts only", alerts)
	}
	for _, anchor := range want {
		if !slices.Contains(anchors, anchor) {
			t.Errorf("there is no anchor %s", anchor)
		}
	}
	slices.Sort(anchors)
	if unique := slices.Compact(slices.Clone(anchors)); len(unique) != len(anchors) {
		t.Error("two headings have the same anchor")
	}
	for _, link := range got.links() {
		if anchor, ok := strings.CutPrefix(link, "#"); ok && !slices.Contains(anchors, anchor) || strings.Contains(link, ".md") {
			t.Errorf("the link %s leads nowhere", link)
		}
	}
	if n := got.elements()["script"]; n != 0 {
		t.Errorf("there are %d scripts", n)
	}
}

// TestRunbookLinks is that the pages lead to the section of each result that is a problem.
func TestRunbookLinks(t *testing.T) {
	runbook := pageOf(t, "/runbook")
	var anchors []string
	for n := range all(runbook.root, "h3") {
		anchors = append(anchors, "runbook#"+attribute(n, "id"))
	}
	results := outcomesOf()
	for _, result := range results {
		word := result.ResultName()
		for path, want := range map[string]int{"/": len(results) - 2, sessionPath + "?" + parametersOf(result.Target, result.Session): 1} {
			if path != "/" && (word == well || word == "") {
				want = 0
			}
			found := 0
			for _, link := range pageOf(t, path, results...).links() {
				if strings.HasPrefix(link, "runbook#") {
					found++
					if !slices.Contains(anchors, link) {
						t.Errorf("%s: %s leads nowhere", path, link)
					}
				}
			}
			if found != want {
				t.Errorf("%s: %d links to sections of the runbook, want %d", path, found, want)
			}
		}
	}
}

// TestMarkdownIsSafe is that raw HTML of a document is left out, and so are its scripts.
func TestMarkdownIsSafe(t *testing.T) {
	got, err := renderMarkdown([]byte("# A_b `C` d\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](other.md#z) <b>bold</b>\n"))
	if want := "<h1 id=\"a_b-c-d\">A_b <code>C</code> d</h1>\n"; err != nil || !strings.HasPrefix(string(got), want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"<script", "<b>", "href", "javascript"} {
		if strings.Contains(string(got), bad) {
			t.Errorf("%s is in %s", bad, got)
		}
	}
	newRig(t, fleet).get("/runbook").want(t, http.StatusOK, "HMPSessionNoRoles")
}
