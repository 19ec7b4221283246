package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A boardQuery is one of the queries of a dashboard, in Grafana's words.
type boardQuery struct {
	where string // for the reader of a failure
	panel string // its kind; "annotation" and "variable" beside those of Grafana
	expr  string
	rows  bool // evaluated at one moment, not over a range
	label string
}

// boardQueries reads every query of every dashboard.
func boardQueries(t *testing.T) (queries []boardQuery) {
	t.Helper()
	files, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("there are %d dashboards, want 3: %v", len(files), err)
	}
	for _, file := range files {
		queries = append(queries, queriesOf(t, file)...)
	}
	return queries
}

func queriesOf(t *testing.T, file string) (queries []boardQuery) {
	t.Helper()
	type target struct {
		Expr, RefID    string
		Instant, Range bool
	}
	var board struct {
		Title  string
		Panels []struct {
			Type, Title string
			Targets     []target
		}
		Templating struct {
			List []struct{ Name, Type, Query string }
		}
		Annotations struct {
			List []struct {
				Name   string
				Target target
			}
		}
	}
	if err := json.Unmarshal(read(t, file), &board); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, p := range board.Panels {
		for _, q := range p.Targets {
			if q.Instant == q.Range {
				t.Errorf("%s, %s, %s: it is instant or over a range, not both or none", board.Title, p.Title, q.RefID)
			}
			where := fmt.Sprintf("%s, %s, %s", board.Title, p.Title, q.RefID)
			queries = append(queries, boardQuery{where: where, panel: p.Type, expr: q.Expr, rows: q.Instant})
		}
	}
	for _, a := range board.Annotations.List {
		where := board.Title + ", annotation " + a.Name
		queries = append(queries, boardQuery{where: where, panel: "annotation", expr: a.Target.Expr})
	}
	for _, v := range board.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(v.Query)
		if parts == nil {
			t.Errorf("%s, variable %s: this is no list of a label's values: %s", board.Title, v.Name, v.Query)
			continue
		}
		where := board.Title + ", variable " + v.Name
		queries = append(queries, boardQuery{where: where, panel: "variable", expr: parts[1], label: parts[2]})
	}
	if len(queries) < 15 {
		t.Errorf("%s has %d queries only", file, len(queries))
	}
	return queries
}

// A choice is what a reader chose: values by variable; none is All.
type choice map[string][]string

var boardVariable = regexp.MustCompile(`\$(\w+)`)

// interpolate writes a query as Grafana's Prometheus source does before it sends it: for a graph with a step of a
// minute over a quarter of an hour.
func (c choice) interpolate(t *testing.T, expr string) string {
	t.Helper()
	intervals := map[string]string{"__rate_interval": "4m", "__interval": "1m", "__range": "900s"}
	return boardVariable.ReplaceAllStringFunc(expr, func(name string) string {
		name = name[1:]
		if interval, ok := intervals[name]; ok {
			return interval
		}
		switch name {
		case "job", "instance", "target", "session":
		default:
			t.Errorf("there is no variable %s: %s", name, expr)
		}
		var escaped []string
		for _, value := range c[name] {
			escaped = append(escaped, strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`))
		}
		switch len(escaped) {
		case 0:
			return ".+"
		case 1:
			return escaped[0]
		}
		return "(" + strings.Join(escaped, "|") + ")"
	})
}
