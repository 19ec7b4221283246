package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
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
)

// TestPlainWords fails if a banned phrase is in a document, an alert or a comment, or a banned
// name in an identifier. It has no list of exceptions: write the sentence in another way.
func TestPlainWords(t *testing.T) {
	alerts := slices.DeleteFunc(filesWith(t, ".yml"), func(file string) bool { return !strings.HasPrefix(file, "dashboards/") })
	for _, file := range append(filesWith(t, ".md"), alerts...) {
		text := strings.Join(strings.Fields(readFile(t, file)), " ")
		for _, phrase := range slices.Concat(bannedPhrases.FindAllString(text, -1), clippedPhrases.FindAllString(text, -1)) {
			t.Errorf("%s: %q", file, phrase)
		}
	}
	for _, file := range filesWith(t, ".go") {
		checkWords(t, file, readFile(t, file))
	}
}

func checkWords(t *testing.T, name, source string) {
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

// TestReadmeIsShort bounds the README. A visitor reads it in a few minutes.
func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(readFile(t, "README.md"), "\n"); lines > 150 {
		t.Errorf("the README has %d lines, want at most 150", lines)
	}
}

// TestOperatorsReadLittle bounds the words of the documents that operators read at night.
func TestOperatorsReadLittle(t *testing.T) {
	words := 0
	for _, page := range []string{"first-alert", "configuration", "credentials", "metrics", "runbook", "troubleshooting", "scaling", "upgrading"} {
		words += len(strings.Fields(readFile(t, "docs/"+page+".md")))
	}
	if words > 9000 {
		t.Errorf("the operators' documents have %d words, want at most 9000", words)
	}
	for _, section := range regexp.MustCompile(`(?m)^##+ `).Split(readFile(t, "docs/runbook.md"), -1)[1:] {
		title, _, _ := strings.Cut(section, "\n")
		if n := len(strings.Fields(section)); n > 100 {
			t.Errorf("the section %s of the runbook has %d words, want at most 100", title, n)
		}
	}
}
