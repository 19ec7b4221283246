package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	codeBlock = regexp.MustCompile("(?s)```.*?\n *```")
)

// TestLinks checks that a link to a file of this repository leads to an existing file and heading.
func TestLinks(t *testing.T) {
	for _, document := range filesWith(t, ".md") {
		text := readFile(t, document)
		for _, l := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			path, fragment, hasFragment := strings.Cut(l[1], "#")
			file := document
			if path != "" {
				file = filepath.Join(filepath.Dir(document), path)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to a missing file: %v", document, err)
				continue
			}
			if hasFragment && !anchors(readFile(t, file))[fragment] {
				t.Errorf("%s links to %s, which has no heading #%s", document, file, fragment)
			}
		}
	}
}

// TestContributing checks that the files and directories that CONTRIBUTING.md names exist.
func TestContributing(t *testing.T) {
	paths := regexp.MustCompile("`((?:collector|config|dashboards|deploy|docs|internal|test)/[^`]*)`").FindAllStringSubmatch(readFile(t, "CONTRIBUTING.md"), -1)
	if len(paths) < 20 {
		t.Errorf("found only the paths %q", paths)
	}
	for _, path := range paths {
		if _, err := os.Stat(path[1]); err != nil {
			t.Errorf("CONTRIBUTING.md: %v", err)
		}
	}
}

// TestNamedTests checks that the tests that docs/reliability.md names exist.
func TestNamedTests(t *testing.T) {
	var tests strings.Builder
	for _, file := range filesWith(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			tests.WriteString(readFile(t, file))
		}
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(readFile(t, "docs/reliability.md"), -1) {
		if !strings.Contains(tests.String(), "\nfunc "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}

// TestIndex checks that docs/README.md lists each document beside it.
func TestIndex(t *testing.T) {
	index := readFile(t, "docs/README.md")
	for _, document := range filesWith(t, ".md") {
		name := filepath.Base(document)
		if filepath.Dir(document) == "docs" && name != "README.md" && !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}

// anchors returns the anchors of the headings of a document, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		title := link.ReplaceAllString(strings.ReplaceAll(h[1], "[", ""), "") // the text of a link, without where it leads
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(title))
		found[anchor] = true
	}
	return found
}
