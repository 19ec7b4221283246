package web

import (
	"slices"
	"strings"
	"testing"
)

// TestRunbook is that the headings of the runbook have different anchors, and that its links
// lead to them.
func TestRunbook(t *testing.T) {
	page := pageOf(t, "/runbook")
	anchors := []string{"content"}
	for n := range all(page.root, "h1", "h2", "h3") {
		id := attribute(n, "id")
		if slices.Contains(anchors, id) {
			t.Errorf("two headings have the anchor %s", id)
		}
		anchors = append(anchors, id)
	}
	for _, link := range page.links() {
		anchor, local := strings.CutPrefix(link, "#")
		if local && !slices.Contains(anchors, anchor) || strings.Contains(link, ".md") || strings.HasPrefix(link, "..") {
			t.Errorf("the link %s leads nowhere", link)
		}
	}
}

// TestRenderMarkdown is that headings have the anchors of GitHub, and that there is no link to a
// file of the repository and no raw HTML.
func TestRenderMarkdown(t *testing.T) {
	got, err := renderMarkdown([]byte("# A_b `C` d\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](other.md#z) [`z`](../a/b) <b>bold</b>\n"))
	if want := "<h1 id=\"a_b-c-d\">A_b <code>C</code> d</h1>\n"; err != nil || !strings.HasPrefix(string(got), want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"<script", "<b>", `href="o`, `href=".`, "javascript"} {
		if strings.Contains(string(got), bad) {
			t.Errorf("%s is in %s", bad, got)
		}
	}
}
