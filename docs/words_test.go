package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// bannedPhrases are clipped or old-fashioned English. They make a reader read twice.
	bannedPhrases = regexp.MustCompile(`(?i)\b(what it comes to|what there is|such ones|those that|as can be|of a moment|for want of|has to hold|have to hold|but for|there to be|lest|mend(s|ed)?|insists?|in vain|what came of|of theirs|ones that|hence|whereby|thereof|thereby|seldom|as it were|to be had|will do|holds? against)\b`)
	// clippedPhrases are more of these. They are allowed in comments.
	clippedPhrases = regexp.MustCompile(`(?i)\b((say|tell)s? of|of itself|anew|whatever|one that|nor|at hand|nothing but)\b`)
	// bannedNames are private metaphors. The words of an identifier are compared one by one.
	bannedNames = regexp.MustCompile(`\b(pilot|seat|lobby|drainer|mortal|keyring|farewell|glance|episode|outcome|outcomes|tally|workforce|allowance|patience|fleet|churn)\b|^flights?\b`)

	// plainPackages are the directories whose Go files pass. Add a package when it passes.
	plainPackages = []string{
		".", "collector", "config", "docs", "internal/app", "internal/canary", "internal/demo",
		"internal/exportertest", "internal/hmp", "internal/hmpsim", "internal/logging", "internal/report", "internal/secret", "internal/token",
		"internal/web", "test/bench", "test/dashboards", "test/e2e", "test/faults", "test/kubernetes",
	}
)

// TestPlainWords fails if a banned phrase is in a document or a comment, or a banned name in
// an identifier. It has no list of exceptions: write the sentence in another way.
func TestPlainWords(t *testing.T) {
	for _, document := range documents(t) {
		text := strings.Join(strings.Fields(readFile(t, document)), " ")
		for _, phrase := range slices.Concat(bannedPhrases.FindAllString(text, -1), clippedPhrases.FindAllString(text, -1)) {
			t.Errorf("%s: %q", document, phrase)
		}
	}
	for _, directory := range plainPackages {
		files, err := filepath.Glob(directory + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no Go files: %v", directory, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkWords(t, file, source)
		}
	}
}

func checkWords(t *testing.T, name string, source []byte) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, comment := range file.Comments {
		text := strings.Join(strings.Fields(comment.Text()), " ")
		if phrase := bannedPhrases.FindString(text); phrase != "" {
			t.Errorf("%s: %q in a comment", files.Position(comment.Pos()), phrase)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if word := bannedNames.FindString(wordsOf(id.Name)); word != "" {
				t.Errorf("%s: %q in the name %s", files.Position(id.Pos()), word, id.Name)
			}
		}
		return true
	})
}

var capital = regexp.MustCompile(`[A-Z]+`)

// wordsOf returns the words of an identifier: "probes in flight" for probesInFlight.
func wordsOf(identifier string) string {
	return strings.TrimSpace(strings.ToLower(capital.ReplaceAllString(identifier, " $0")))
}
