package e2e

import (
	"fmt"
	"slices"
	"testing"

	"hmp_exporter/internal/hmp"
)

// TestDashboardsHaveWorstFirst has promtool evaluate the number that tables and graphs sort results by: valid is the
// least, and a session that has no result, as its probe panicked, is worse than every other. Of two exporters the worse
// one is believed.
func TestDashboardsHaveWorstFirst(t *testing.T) {
	none := float64(len(hmp.Results) + 1)
	isConnect := func(o hmp.ResultInfo) bool { return o.Result == hmp.Connect }
	connect := float64(slices.IndexFunc(hmp.Results, isConnect) + 1)
	numbers := []struct {
		session string
		results []hmp.Result // by exporter
		number  float64
	}{
		{"valid", []hmp.Result{hmp.Valid, hmp.Valid}, 1},
		{"disputed", []hmp.Result{hmp.Valid, hmp.Connect}, connect},
		{"panics", []hmp.Result{""}, none},
		{"disputed-panics", []hmp.Result{"", hmp.Connect}, none},
	}
	var series []ruleSeries
	var want []ruleSample
	for _, n := range numbers {
		want = append(want, ruleSample{fmt.Sprintf(`{target="studio", session=%q}`, n.session), n.number})
		for exporter, result := range n.results {
			for _, o := range hmp.Results {
				is := 0
				if o.Result == result {
					is = 1
				}
				labels := fmt.Sprintf(`job="hmp", instance="exporter-%d", target="studio", session=%q, result=%q`,
					exporter, n.session, o.Result)
				series = append(series, ruleSeries{"hmp_session_probe_result{" + labels + "}", fmt.Sprintf("%dx4", is)})
			}
		}
	}
	checkRules(t, ruleTest{Interval: "15s", Series: series, Expressions: []ruleExpression{
		boardExpression(t, "HMP Overview, Sessions, A", "1m", want...),
		boardExpression(t, "HMP Session, Result, A", "1m", want...),
	}})
}

// boardExpression is that a query of a dashboard returns these samples, with all chosen.
func boardExpression(t *testing.T, where, at string, want ...ruleSample) ruleExpression {
	t.Helper()
	queries := boardQueries(t)
	i := slices.IndexFunc(queries, func(q boardQuery) bool { return q.where == where })
	if i < 0 {
		t.Fatalf("there is no query %s", where)
	}
	return ruleExpression{Expression: choice{}.interpolate(t, queries[i].expr), Time: at, Samples: want}
}

// TestDashboardsMissWhatIsAway is that one of two exporters that has been down for hours is not forgotten, and that
// a session that was taken out is, after an hour.
func TestDashboardsMissWhatIsAway(t *testing.T) {
	t.Parallel()
	checkRules(t, ruleTest{
		Interval: "2m",
		Series: []ruleSeries{
			{`up{job="hmp", instance="up"}`, "1x150"},
			{`up{job="hmp", instance="down"}`, "1x29 0x120"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="playout"}`, "1x150"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="taken-out"}`, "1x29 stale"},
			{`hmp_session_valid{job="hmp", instance="down", target="campus", session="playout"}`, "1x29 stale"},
		},
		Expressions: []ruleExpression{
			boardExpression(t, "HMP Overview, Sessions missing, A", "50m", ruleSample{"{}", 0}),
			boardExpression(t, "HMP Overview, Sessions missing, A", "70m", ruleSample{"{}", 2}),
			boardExpression(t, "HMP Overview, Sessions missing, A", "4h", ruleSample{"{}", 1}),
			boardExpression(t, "HMP Exporter, Scrapes, A", "4h", ruleSample{"{}", 1}),
		},
	})
}

// TestDashboardsShowVersions is that an HMP has its newest version, or "unknown" where the exporter has none, and that
// an upgrade is marked once, in the step in which it is seen.
func TestDashboardsShowVersions(t *testing.T) {
	const labels = `job="hmp", instance="exporter", target=`
	checkRules(t, ruleTest{
		Interval: "1m",
		Series: []ruleSeries{
			{`hmp_session_valid{` + labels + `"studio", session="playout"}`, "1x10"},
			{`hmp_session_valid{` + labels + `"campus", session="playout"}`, "0x10"},
			{`hmp_info{` + labels + `"studio", version="4.1", build="7"}`, "1x4 stale"},
			{`hmp_info{` + labels + `"studio", version="4.2", build="9"}`, "_x5 1x5"},
		},
		Expressions: []ruleExpression{
			boardExpression(t, "HMP Overview, HMPs, F", "8m",
				ruleSample{`{target="studio", version="4.2", build="9"}`, 1},
				ruleSample{`{target="campus", version="unknown"}`, 0}),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "4m"),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "5m", ruleSample{"{}", 1}),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "6m"),
		},
	})
}
