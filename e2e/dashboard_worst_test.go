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
	none := float64(len(hmp.Outcomes) + 1)
	connect := 1 + float64(slices.IndexFunc(hmp.Outcomes, func(o hmp.OutcomeInfo) bool { return o.Outcome == hmp.Connect }))
	numbers := []struct {
		session string
		results []hmp.Outcome // by exporter
		number  float64
	}{
		{"valid", []hmp.Outcome{hmp.Valid, hmp.Valid}, 1},
		{"disputed", []hmp.Outcome{hmp.Valid, hmp.Connect}, connect},
		{"panics", []hmp.Outcome{""}, none},
		{"disputed-panics", []hmp.Outcome{"", hmp.Connect}, none},
	}
	var series []ruleSeries
	var want []ruleSample
	for _, n := range numbers {
		want = append(want, ruleSample{fmt.Sprintf(`{target="studio", session=%q}`, n.session), n.number})
		for exporter, result := range n.results {
			for _, o := range hmp.Outcomes {
				is := 0
				if o.Outcome == result {
					is = 1
				}
				series = append(series, ruleSeries{
					Series: fmt.Sprintf(`hmp_session_probe_result{job="hmp", instance="exporter-%d", target="studio", session=%q, result=%q}`,
						exporter, n.session, o.Outcome),
					Values: fmt.Sprintf("%dx4", is),
				})
			}
		}
	}
	queries := boardQueries(t)
	for _, where := range []string{"HMP Overview, Sessions, A", "HMP Session, Result, A"} {
		i := slices.IndexFunc(queries, func(q boardQuery) bool { return q.where == where })
		if i < 0 {
			t.Fatalf("there is no query %s", where)
		}
		checkRules(t, ruleTest{Interval: "15s", Series: series, Expressions: []ruleExpression{
			{Expression: choice{}.interpolate(t, queries[i].expr), Time: "1m", Samples: want},
		}})
	}
}
