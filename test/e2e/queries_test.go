package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var promqlBlock = regexp.MustCompile("(?s)```promql\n(.*?)\n```")

// TestDocumentedQueries asks a real Prometheus that scrapes the demo, as the README says, and has the rules, what the
// documents say to ask. There is something to find for each.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := make(map[string][]string) // by page
	for _, page := range append(pages, "../../README.md") {
		for _, block := range promqlBlock.FindAllStringSubmatch(string(read(t, page)), -1) {
			queries[page] = append(queries[page], block[1])
		}
	}
	if len(queries["../../README.md"]) == 0 || len(queries["../../docs/metrics.md"]) < 10 {
		t.Fatalf("found only the queries %v", queries)
	}

	demo := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0")).url(t)
	rules := fmt.Sprintf("rule_files: [%q]\nglobal:\n  evaluation_interval: 1s\n", hastyRules(t))
	server := runPrometheus(t, strings.Replace(scrapeConfigs(t, "../../README.md", demo)[0], "global:\n", rules, 1))
	for page, asked := range queries {
		for _, query := range slices.Compact(asked) {
			if query == `ALERTS{alertstate="firing"}` {
				continue // TestFirstAlert asks it
			}
			t.Run(filepath.Base(page)+" "+query, func(t *testing.T) {
				eventually(t, "it finds something", func() error {
					if len(server.query(t, query)) == 0 {
						return fmt.Errorf("%s finds nothing", query)
					}
					return nil
				})
			})
		}
	}
}
