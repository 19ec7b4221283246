package web

import (
	"bytes"
	"html/template"
	"net/http"
	"regexp"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"hmp_exporter/docs"
)

var runbookPage = parsePage("runbook.html")

// runbook shows what to do about each alert and each result.
func (h *handler) runbook(w http.ResponseWriter, r *http.Request) {
	text, err := runbookHTML()
	if err != nil {
		http.Error(w, "failed to write the runbook: "+err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, r, runbookPage, struct {
		pageData
		Text template.HTML
	}{h.pageData("Runbook"), text})
}

var runbookHTML = sync.OnceValues(func() (template.HTML, error) { return renderMarkdown(docs.Runbook) })

// fileLink matches a link to another file of the repository, which the exporter does not serve.
var fileLink = regexp.MustCompile(`\[([^\]]+)\]\([\w./-]+(#[\w-]*)?\)`)

// renderMarkdown renders a document of the repository. It replaces links to files by their
// text. Goldmark leaves out raw HTML.
func renderMarkdown(source []byte) (template.HTML, error) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var out bytes.Buffer
	context := parser.NewContext(parser.WithIDs(headingIDs{}))
	err := markdown.Convert(fileLink.ReplaceAll(source, []byte("$1")), &out, parser.WithContext(context))
	return template.HTML(out.String()), err //nolint:gosec // the text is the program's own
}

// headingIDs gives headings the same anchors as GitHub.
type headingIDs struct{}

var notInAnchor = regexp.MustCompile(`[^a-z0-9_-]`)

// Generate implements [parser.IDs].
func (headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	return notInAnchor.ReplaceAll(bytes.ReplaceAll(bytes.ToLower(heading), []byte(" "), []byte("-")), nil)
}

// Put implements [parser.IDs].
func (headingIDs) Put([]byte) {}
