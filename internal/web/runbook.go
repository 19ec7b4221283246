package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"hmp_exporter/collector"
	"hmp_exporter/docs"
)

const runbookPath = "/runbook"

var (
	//go:embed runbook.html
	runbookHTML string
	runbookPage = parsePage(runbookHTML)
)

// runbook shows what to do about each alert and each result. It has no script: the page
// never changes.
func (h *handler) runbook(w http.ResponseWriter, r *http.Request) {
	text, err := renderedRunbook()
	if err != nil {
		http.Error(w, "failed to write the runbook: "+err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, r, runbookPage, struct {
		frame
		Text template.HTML
	}{h.frame("Runbook", time.Now()), text})
}

var renderedRunbook = sync.OnceValues(func() (template.HTML, error) { return renderMarkdown(docs.Runbook) })

// renderMarkdown renders a document of the repository. Goldmark leaves raw HTML out.
func renderMarkdown(source []byte) (template.HTML, error) {
	markdown := goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(),
			parser.WithASTTransformers(util.Prioritized(localLinks{}, 0)),
		),
	)
	var out bytes.Buffer
	err := markdown.Convert(source, &out, parser.WithContext(parser.NewContext(parser.WithIDs(headingIDs{}))))
	return template.HTML(out.String()), err //nolint:gosec // the text is the program's own
}

// headingIDs gives headings the anchors that GitHub gives them. No two headings are alike.
type headingIDs struct{}

// Generate implements [parser.IDs].
func (headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	return bytes.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', '0' <= r && r <= '9', 'a' <= r && r <= 'z':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return -1
		}
	}, heading)
}

// Put implements [parser.IDs].
func (headingIDs) Put([]byte) {}

// localLinks makes plain text of links to other files of the repository, which the program
// does not serve.
type localLinks struct{}

// Transform implements [parser.ASTTransformer].
func (localLinks) Transform(document *ast.Document, _ gtext.Reader, _ parser.Context) {
	var dead []*ast.Link
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		link, ok := n.(*ast.Link)
		if ok && entering && !slices.ContainsFunc([]string{"#", "http://", "https://"}, func(prefix string) bool {
			return strings.HasPrefix(string(link.Destination), prefix)
		}) {
			dead = append(dead, link)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range dead {
		for link.HasChildren() {
			link.Parent().InsertBefore(link.Parent(), link, link.FirstChild())
		}
		link.Parent().RemoveChild(link.Parent(), link)
	}
}

// runbookLink is where the runbook explains a result, relative to the pages; "" if it need
// not.
func runbookLink(word string) string {
	switch word {
	case well, pending:
		return ""
	case collector.Panicked:
		return "runbook#hmpexporterpanics"
	default:
		return "runbook#result-" + word
	}
}
