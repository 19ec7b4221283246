package web

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"hmp_exporter/collector"
)

// TestLastResults is that /sessions.json has the last results by the schema of the command
// probe, without secrets and hidden messages, and does not probe.
func TestLastResults(t *testing.T) {
	text, err := os.ReadFile("../../docs/probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := new(jsonschema.Schema)
	if err := json.Unmarshal(text, schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := newExporter(t, threeSessions)
	for _, want := range []string{"", "studio/archive false, studio/playout true"} {
		before := e.probes()
		got := e.get("/sessions.json")
		got.want(t, http.StatusOK)
		var value any
		var document struct {
			Sessions []struct {
				Target, Session string
				Valid           bool
				Started         *string
			}
		}
		if err := json.Unmarshal([]byte(got.body), &value); err != nil {
			t.Fatal(err)
		}
		if err := resolved.Validate(value); err != nil {
			t.Errorf("the schema does not have it: %v\n%s", err, got.body)
		}
		_ = json.Unmarshal([]byte(got.body), &document)
		var probed []string
		for _, s := range document.Sessions {
			if s.Started != nil {
				probed = append(probed, s.Target+"/"+s.Session+map[bool]string{true: " true", false: " false"}[s.Valid])
			}
		}
		slices.Sort(probed)
		if strings.Join(probed, ", ") != want || e.probes() != before || strings.Contains(got.body, "Password change required") {
			t.Errorf("got %q, want %q; %d probes:\n%s", probed, want, e.probes()-before, got.body)
		}
		e.get("/probe?target=studio")
	}
}

// TestRunbook is that the runbook has an anchor for every alert and every result, and that its
// links lead somewhere.
func TestRunbook(t *testing.T) {
	page := pageOf(t, "/runbook")
	var anchors []string
	for n := range all(page.root, "h1", "h2", "h3", "main") {
		if id := attribute(n, "id"); slices.Contains(anchors, id) {
			t.Errorf("two headings have the anchor %s", id)
		} else {
			anchors = append(anchors, id)
		}
	}
	want := []string{"where-to-look"}
	for _, r := range collector.Results() {
		want = append(want, "result-"+string(r.Result))
	}
	files, err := filepath.Glob("../../dashboards/alerts/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		rules, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\n *- alert: (\w+)\n(?s:.*?)runbook_url`).FindAllStringSubmatch(string(rules), -1) {
			want = append(want, strings.ToLower(match[1]))
		}
	}
	if len(want) < 35 {
		t.Errorf("there are %d alerts and results only", len(want))
	}
	for _, anchor := range want {
		if !slices.Contains(anchors, anchor) {
			t.Errorf("there is no anchor %s", anchor)
		}
	}
	for _, link := range page.links() {
		anchor, local := strings.CutPrefix(link, "#")
		if local && !slices.Contains(anchors, anchor) || strings.Contains(link, ".md") || strings.HasPrefix(link, "..") {
			t.Errorf("the link %s leads nowhere", link)
		}
	}
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
