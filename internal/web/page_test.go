package web

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A page is one that has been parsed as a browser does it.
type page struct{ root *html.Node }

func (r reply) page(t *testing.T) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return page{root}
}

// all returns the elements of some kinds.
func all(root *html.Node, kinds ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && slices.Contains(kinds, n.Data) && !yield(n) {
				return
			}
		}
	}
}

// text returns what a reader sees of an element, on one line.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.Data == "br":
			b.WriteString("\n")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// rows returns the cells of the table of sessions.
func (p page) rows() [][]string {
	var rows [][]string
	for body := range all(p.root, "tbody") {
		for tr := range all(body, "tr") {
			var cells []string
			for cell := range all(tr, "td", "th") {
				cells = append(cells, text(cell))
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// links returns where the links lead.
func (p page) links() []string {
	var links []string
	for a := range all(p.root, "a") {
		links = append(links, attribute(a, "href"))
	}
	return links
}

// elements counts the elements of each kind.
func (p page) elements() map[string]int {
	count := make(map[string]int)
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode {
			count[n.Data]++
		}
	}
	return count
}

// foreignScripts counts the scripts but for the one that the program has.
func (p page) foreignScripts() (n int) {
	for script := range all(p.root, "script") {
		if attribute(script, "src") != "live.js" || script.FirstChild != nil {
			n++
		}
	}
	return n
}

// attributes returns the names of all attributes, sorted and each once.
func (p page) attributes() []string {
	var names []string
	for n := range p.root.Descendants() {
		for _, a := range n.Attr {
			names = append(names, a.Key)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
