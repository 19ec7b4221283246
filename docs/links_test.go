package docs_test

import (
	"io/fs"
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

// What the documents link to in this repository is there: the file, and the heading in it.
func TestLinks(t *testing.T) {
	for _, document := range documents(t) {
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
				t.Errorf("%s links to what is not there: %v", document, err)
				continue
			}
			if hasFragment && !anchors(readFile(t, file))[fragment] {
				t.Errorf("%s links to %s, which has no heading #%s", document, file, fragment)
			}
		}
	}
}

// TestPaths is that the files and directories that CONTRIBUTING.md names exist.
func TestPaths(t *testing.T) {
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

// TestNamedTests is that the tests that docs/reliability.md names exist.
func TestNamedTests(t *testing.T) {
	var tests strings.Builder
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			tests.WriteString(readFile(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(readFile(t, "docs/reliability.md"), -1) {
		if !strings.Contains(tests.String(), "\nfunc "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}

// TestIndex is that docs/README.md knows each of the documents beside it.
func TestIndex(t *testing.T) {
	index := readFile(t, "docs/README.md")
	for _, document := range documents(t) {
		name := filepath.Base(document)
		if filepath.Dir(document) == "docs" && name != "README.md" && !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}

// documents lists those of the repository.
func documents(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("found only the documents %q: %v", files, err)
	}
	return files
}

// anchors are those of the headings of a document, as GitHub makes them.
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

// TestAnchors is that a link may be written as a browser shows it.
func TestAnchors(t *testing.T) {
	got := anchors("# What `/sd` answers\n```sh\n# no heading\n```\n## TLS, and [links](a.md#b)\n")
	for _, want := range []string{"what-sd-answers", "tls-and-links"} {
		if !got[want] || len(got) != 2 {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	// The cache of test results knows a file by its name in this directory. The tests run in another.
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
