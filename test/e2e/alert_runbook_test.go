package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const runbook = "../../docs/runbook.md"

// sections are the sections of the runbook and their texts, by the anchors that GitHub gives them.
func sections(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, part := range regexp.MustCompile(`(?m)^#+ `).Split(string(read(t, runbook)), -1)[1:] {
		title, text, _ := strings.Cut(part, "\n")
		if _, twice := found[anchor(title)]; twice {
			t.Errorf("two sections of the runbook have the anchor %s", anchor(title))
		}
		found[anchor(title)] = text
	}
	return found
}

// anchor is GitHub's of a heading: in lower case, without punctuation but hyphens and underscores, hyphens for spaces.
func anchor(title string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(title), "")
	return strings.ReplaceAll(kept, " ", "-")
}

// TestRunbookHasEveryAlert is that each alert links to its section, and that it says all that a section has to.
func TestRunbookHasEveryAlert(t *testing.T) {
	sections := sections(t)
	for name, alert := range shippedAlerts(t) {
		link := "https://hmp-exporter.example/docs/runbook.md#" + anchor(name)
		if alert.Annotations["runbook_url"] != link {
			t.Errorf("the runbook of %s is at %s, want %s", name, alert.Annotations["runbook_url"], link)
		}
		urgency := map[string]string{"critical": "**Critical", "warning": "**Warning", "info": "**Info", "none": "**Always"}[alert.Labels["severity"]]
		for _, part := range []string{"**It means:**", urgency, "**Look**", "**do", "**do not**"} {
			if !strings.Contains(strings.ToLower(sections[anchor(name)]), strings.ToLower(part)) {
				t.Errorf("the section on %s lacks %s", name, part)
			}
		}
	}
	for anchor := range sections {
		isAlert := func(r rule) bool { return strings.EqualFold(r.Alert, anchor) }
		if strings.HasPrefix(anchor, "hmp") && anchor != "hmps-and-sessions-that-fail" && !slices.ContainsFunc(shippedRules(t), isAlert) {
			t.Errorf("the runbook has a section %s, and there is no such alert", anchor)
		}
	}
}

// TestRunbookHasEveryResult is that there is a section on each result, and on each error code of HMP.
func TestRunbookHasEveryResult(t *testing.T) {
	sections := sections(t)
	want := make([]string, 0, 32)
	for _, result := range allResults {
		want = append(want, "result-"+result)
	}
	codes := regexp.MustCompile("(?m)^\\| `(\\d{6}|other)` \\|").FindAllStringSubmatch(string(read(t, "../../docs/metrics.md")), -1)
	if len(codes) == 0 {
		t.Error("docs/metrics.md has no table of codes")
	}
	for _, code := range codes {
		want = append(want, "error-"+code[1])
	}
	for _, section := range want {
		if strings.TrimSpace(sections[section]) == "" {
			t.Errorf("the runbook has nothing on %s", section)
		}
	}
}

// TestRunbookLinks is that its links within itself go somewhere.
func TestRunbookLinks(t *testing.T) {
	sections := sections(t)
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(string(read(t, runbook)), -1) {
		if _, ok := sections[link[1]]; !ok {
			t.Errorf("the runbook links to #%s, which is not there", link[1])
		}
	}
}
