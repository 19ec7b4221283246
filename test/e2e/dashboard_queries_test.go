package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A dashboardQuery is a query of a dashboard.
type dashboardQuery struct {
	name    string // the dashboard, the panel and the query
	panel   string // Grafana's type of panel, "annotation" or "variable"
	expr    string
	instant bool
	label   string // of a variable
}

// dashboardQueries returns every query of every dashboard.
func dashboardQueries(t *testing.T) (queries []dashboardQuery) {
	t.Helper()
	for _, file := range glob(t, "../../dashboards/*.json") {
		queries = append(queries, queriesOf(t, file)...)
	}
	return queries
}

func queriesOf(t *testing.T, file string) (queries []dashboardQuery) {
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
	if err := json.Unmarshal([]byte(read(t, file)), &board); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, p := range board.Panels {
		for _, q := range p.Targets {
			name := fmt.Sprintf("%s, %s, %s", board.Title, p.Title, q.RefID)
			if q.Instant == q.Range {
				t.Errorf("%s is both instant and over a range, or neither", name)
			}
			queries = append(queries, dashboardQuery{name: name, panel: p.Type, expr: q.Expr, instant: q.Instant})
		}
	}
	for _, a := range board.Annotations.List {
		queries = append(queries, dashboardQuery{name: board.Title + ", annotation " + a.Name, panel: "annotation", expr: a.Target.Expr})
	}
	for _, v := range board.Templating.List {
		if parts := labelValues.FindStringSubmatch(v.Query); parts != nil {
			queries = append(queries, dashboardQuery{name: board.Title + ", variable " + v.Name, panel: "variable", expr: parts[1], label: parts[2]})
		} else if v.Type == "query" {
			t.Errorf("%s, variable %s: the query is not label_values: %s", board.Title, v.Name, v.Query)
		}
	}
	if len(queries) < 15 {
		t.Errorf("%s has only %d queries", file, len(queries))
	}
	return queries
}

var (
	labelValues     = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	variablePattern = regexp.MustCompile(`\$(\w+)`)
)

// A choice has the values that a reader chose, by variable. An absent variable is All.
type choice map[string][]string

// interpolate replaces the variables as Grafana's Prometheus data source does, for a graph of
// 15 minutes with a step of one minute.
func (c choice) interpolate(t *testing.T, expr string) string {
	t.Helper()
	intervals := map[string]string{"__rate_interval": "4m", "__interval": "1m", "__range": "900s"}
	return variablePattern.ReplaceAllStringFunc(expr, func(name string) string {
		name = name[1:]
		if interval, ok := intervals[name]; ok {
			return interval
		}
		if !slices.Contains([]string{"job", "instance", "target", "session"}, name) {
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

// maxSeries is how many series a type of panel can show: distinguishable names in a graph,
// rows of a table that a reader can page through.
var maxSeries = map[string]int{
	"stat":           10,
	"timeseries":     20,
	"state-timeline": 10,
	"heatmap":        40, // buckets
	"table":          5000,
	"annotation":     40, // alerts
	"variable":       5000,
}

// evaluate evaluates a query of a dashboard as Grafana does. It must not return more than its
// panel can show.
func (p prometheus) evaluate(t *testing.T, q dashboardQuery, c choice) (list []sample) {
	t.Helper()
	expr, now := c.interpolate(t, q.expr), time.Now()
	seconds := func(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1e3) }
	switch {
	case q.panel == "variable":
		var answer struct{ Data []string }
		getJSON(t, p.api+"/label/"+q.label+"/values?"+url.Values{"match[]": {expr}}.Encode(), &answer)
		for _, value := range answer.Data {
			list = append(list, sample{Labels: map[string]string{q.label: value}})
		}
	default:
		path, form := "/query_range", url.Values{"query": {expr}}
		if q.instant {
			path = "/query"
			form.Set("time", seconds(now))
		} else {
			form.Set("start", seconds(now.Add(-15*time.Minute)))
			form.Set("end", seconds(now))
			form.Set("step", "60")
		}
		var answer struct {
			Data struct{ Result []sample }
		}
		getJSON(t, p.api+path+"?"+form.Encode(), &answer)
		list = answer.Data.Result
	}
	if limit := maxSeries[q.panel]; len(list) > limit {
		t.Errorf("%s returns %d series, want at most %d", q.name, len(list), limit)
	}
	return list
}

// findQuery returns a query of a dashboard.
func findQuery(t *testing.T, name string) dashboardQuery {
	t.Helper()
	queries := dashboardQueries(t)
	i := slices.IndexFunc(queries, func(q dashboardQuery) bool { return q.name == name })
	if i < 0 {
		t.Fatalf("there is no query %s", name)
	}
	return queries[i]
}
