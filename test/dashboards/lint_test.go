package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// panelsOf returns the panels of a dashboard without rows.
func panelsOf(d dashboard.Dashboard) (list []*dashboard.Panel) {
	for _, p := range d.Panels {
		if p.Panel != nil {
			list = append(list, p.Panel)
		}
	}
	return list
}

// queriesOf returns the queries of a panel.
func queriesOf(t *testing.T, p *dashboard.Panel) (list []prometheus.Dataquery) {
	t.Helper()
	for _, q := range p.Targets {
		query, ok := q.(prometheus.Dataquery)
		if !ok {
			t.Fatalf("%s has a query %T", *p.Title, q)
		}
		list = append(list, query)
	}
	return list
}

func isSource(ref *common.DataSourceRef) bool {
	return ref != nil && ref.Type != nil && *ref.Type == "prometheus" && ref.Uid != nil && *ref.Uid == "${datasource}"
}

// TestDashboardRules has the rules of Grafana's dashboard linter for dashboards: template-datasource,
// template-job, template-instance, template-label-promql, template-on-time-change-reload,
// uneditable-dashboard.
func TestDashboardRules(t *testing.T) {
	for _, d := range builtDashboards(t) {
		if d.Id != nil || d.Editable == nil || *d.Editable {
			t.Errorf("%s has an id, or can be edited", *d.Uid)
		}
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
			if v.Label == nil || *v.Label == "" || v.Description == nil {
				t.Errorf("%s: variable %s has no label or no description", *d.Uid, v.Name)
			}
			if v.Name == "datasource" {
				if v.Type != dashboard.VariableTypeDatasource || *v.Query.String != "prometheus" || *v.Label != "Data source" {
					t.Errorf("%s: the data source is not a variable for Prometheus", *d.Uid)
				}
				continue
			}
			checkChoice(t, *d.Uid, v)
		}
		if want := []string{"datasource", "job", "instance", "target", "session"}; !slices.Equal(names, want) {
			t.Errorf("%s has variables %q, want %q", *d.Uid, names, want)
		}
		for _, a := range d.Annotations.List {
			if q, ok := a.Target.(prometheus.Dataquery); !ok || !isSource(a.Datasource) || !isSource(q.Datasource) {
				t.Errorf("%s: annotation %s does not use the chosen data source", *d.Uid, a.Name)
			}
		}
	}
}

func checkChoice(t *testing.T, uid string, v dashboard.VariableModel) {
	t.Helper()
	if v.Type != dashboard.VariableTypeQuery || !isSource(v.Datasource) {
		t.Errorf("%s: variable %s is not a query of the chosen data source", uid, v.Name)
	}
	if *v.Refresh != dashboard.VariableRefreshOnTimeRangeChanged {
		t.Errorf("%s: variable %s does not follow the time", uid, v.Name)
	}
	if !*v.Multi || !*v.IncludeAll || *v.AllValue != ".+" || *v.Sort == dashboard.VariableSortDisabled {
		t.Errorf("%s: variable %s is not sorted, or does not allow many values and All", uid, v.Name)
	}
	if !strings.HasPrefix(*v.Query.String, "label_values(") || !strings.HasSuffix(*v.Query.String, ", "+v.Name+")") {
		t.Errorf("%s: variable %s is not a query of label values: %s", uid, v.Name, *v.Query.String)
	}
}

// TestPanelRules has the rules of the linter for panels: panel-datasource, panel-title-description,
// panel-units, panel-no-targets. The types of panels must not be deprecated.
func TestPanelRules(t *testing.T) {
	kinds := []string{"stat", "timeseries", "state-timeline", "heatmap", "table", "text"}
	for _, d := range builtDashboards(t) {
		titles, ids := map[string]bool{}, map[uint32]bool{}
		for _, p := range panelsOf(d) {
			name := *d.Uid + ", " + *p.Title
			if titles[*p.Title] || *p.Title == "" || p.Description == nil || *p.Description == "" {
				t.Errorf("%s has no unique title or no description", name)
			}
			if titles[*p.Title], ids[*p.Id] = true, true; !slices.Contains(kinds, p.Type) {
				t.Errorf("%s is a %s", name, p.Type)
			}
			if p.Type == "text" {
				continue
			}
			if !isSource(p.Datasource) || len(p.Targets) == 0 || p.Interval == nil || *p.Interval != minInterval {
				t.Errorf("%s has another data source, no query or no minimal interval", name)
			}
			if unit := p.FieldConfig.Defaults.Unit; unit == nil || *unit == "" {
				t.Errorf("%s has no unit", name)
			}
		}
		if len(ids) != len(panelsOf(d)) {
			t.Errorf("%s: two panels have the same id", *d.Uid)
		}
	}
}

// TestLayout checks that panels do not overlap and are inside the grid.
func TestLayout(t *testing.T) {
	for _, d := range builtDashboards(t) {
		taken := map[[2]uint32]string{}
		for _, p := range panelsOf(d) {
			at := p.GridPos
			for i := range at.W * at.H {
				cell := [2]uint32{at.X + i%at.W, at.Y + i/at.W}
				if other := taken[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("%s: %s is at %v, on %q or outside the grid", *d.Uid, *p.Title, cell, other)
				}
				taken[cell] = *p.Title
			}
		}
	}
}

var (
	// series is a metric with its matchers.
	series = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)\{([^}]*)\}`)
	// bareCounter is a counter or a histogram bucket that is not inside a function.
	bareCounter = regexp.MustCompile(`(?:^|[^e]\(|[^(])\b([a-z_]+(?:_total|_bucket))\{`)
	ranges      = regexp.MustCompile(`\b(rate|irate|increase)\([^\[]*\[([^\]]*)\]`)
)

// TestQueryRules has the rules of the linter for queries: target-job, target-instance,
// target-rate-interval, target-counter-agg. The end-to-end tests evaluate the queries.
func TestQueryRules(t *testing.T) {
	for _, d := range builtDashboards(t) {
		for _, p := range panelsOf(d) {
			letters := map[string]bool{}
			for _, q := range queriesOf(t, p) {
				name := *d.Uid + ", " + *p.Title + ", " + *q.RefId
				if letters[*q.RefId] || !isSource(q.Datasource) || *q.Instant == *q.Range || *q.LegendFormat == "" {
					t.Errorf("%s has a wrong RefID, data source, type or legend", name)
				}
				letters[*q.RefId] = true
				checkQuery(t, name, q.Expr, *q.Instant)
			}
		}
		for _, a := range d.Annotations.List {
			checkQuery(t, *d.Uid+", "+a.Name, a.Target.(prometheus.Dataquery).Expr, false)
		}
	}
}

func checkQuery(t *testing.T, name, expr string, instant bool) {
	t.Helper()
	found := series.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s has no series: %s", name, expr)
	}
	for _, s := range found {
		missing := "" // some alerts have neither label
		if s[1] == "ALERTS" {
			missing = "|"
		}
		for _, label := range []string{"job", "instance"} {
			if !strings.Contains(s[2], label+`=~"$`+label+missing+`"`) {
				t.Errorf("%s: %s does not depend on the variable %s", name, s[0], label)
			}
		}
	}
	for _, m := range ranges.FindAllStringSubmatch(expr, -1) {
		if m[2] != "$__rate_interval" && (m[1] != "increase" || m[2] != "$__range" || !instant) {
			t.Errorf("%s: %s is over %s, want $__rate_interval", name, m[1], m[2])
		}
	}
	for _, m := range bareCounter.FindAllStringSubmatch(expr, -1) {
		t.Errorf("%s shows the counter %s without rate or increase", name, m[1])
	}
}
