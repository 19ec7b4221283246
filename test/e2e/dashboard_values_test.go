package e2e

import (
	"fmt"
	"slices"
	"testing"

	"hmp_exporter/internal/hmp"
)

// dashboardExpression expects samples of a query of a dashboard, with All chosen.
func dashboardExpression(t *testing.T, name, at string, want ...ruleSample) ruleExpression {
	t.Helper()
	return ruleExpression{Expression: choice{}.interpolate(t, findQuery(t, name).expr), Time: at, Samples: want}
}

// TestDashboardsWorstResult checks the numbers by which tables and graphs sort results. The
// best is valid. The worst is no result, after a panic. If two exporters disagree, the
// dashboard shows the worse result.
func TestDashboardsWorstResult(t *testing.T) {
	none := float64(len(hmp.Results) + 1)
	connect := float64(slices.IndexFunc(hmp.Results, func(o hmp.ResultInfo) bool { return o.Result == hmp.Connect }) + 1)
	var series []ruleSeries
	var want []ruleSample
	for _, n := range []struct {
		session string
		results []hmp.Result // by exporter
		number  float64
	}{
		{"valid", []hmp.Result{hmp.Valid, hmp.Valid}, 1},
		{"disputed", []hmp.Result{hmp.Valid, hmp.Connect}, connect},
		{"panics", []hmp.Result{""}, none},
		{"disputed-panics", []hmp.Result{"", hmp.Connect}, none},
	} {
		want = append(want, ruleSample{fmt.Sprintf(`{target="studio", session=%q}`, n.session), n.number})
		for exporter, result := range n.results {
			for _, r := range hmp.Results {
				value := "0x4"
				if r.Result == result {
					value = "1x4"
				}
				series = append(series, ruleSeries{fmt.Sprintf(
					`hmp_session_probe_result{job="hmp", instance="exporter-%d", target="studio", session=%q, result=%q}`,
					exporter, n.session, r.Result), value})
			}
		}
	}
	runRuleTest(t, ruleTest{Interval: "15s", Series: series, Expressions: []ruleExpression{
		dashboardExpression(t, "HMP Overview, Sessions, A", "1m", want...),
		dashboardExpression(t, "HMP Session, Result, A", "1m", want...),
	}})
}

// TestDashboardsMissing checks that an exporter that has been down for hours still counts as
// missing. A session that was removed counts for one hour.
func TestDashboardsMissing(t *testing.T) {
	runRuleTest(t, ruleTest{
		Interval: "2m",
		Series: []ruleSeries{
			{`up{job="hmp", instance="up"}`, "1x150"},
			{`up{job="hmp", instance="down"}`, "1x29 0x120"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="playout"}`, "1x150"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="removed"}`, "1x29 stale"},
			{`hmp_session_valid{job="hmp", instance="down", target="campus", session="playout"}`, "1x29 stale"},
		},
		Expressions: []ruleExpression{
			dashboardExpression(t, "HMP Overview, Sessions missing, A", "50m", ruleSample{"{}", 0}),
			dashboardExpression(t, "HMP Overview, Sessions missing, A", "70m", ruleSample{"{}", 2}),
			dashboardExpression(t, "HMP Overview, Sessions missing, A", "4h", ruleSample{"{}", 1}),
			dashboardExpression(t, "HMP Exporter, Scrapes, A", "4h", ruleSample{"{}", 1}),
		},
	})
}

// TestDashboardsVersion checks that the dashboards show the newest version of an HMP, or
// "unknown". An upgrade is marked once.
func TestDashboardsVersion(t *testing.T) {
	const labels = `job="hmp", instance="exporter", target=`
	runRuleTest(t, ruleTest{
		Interval: "1m",
		Series: []ruleSeries{
			{`hmp_session_valid{` + labels + `"studio", session="playout"}`, "1x10"},
			{`hmp_session_valid{` + labels + `"campus", session="playout"}`, "0x10"},
			{`hmp_info{` + labels + `"studio", version="4.1", build="7"}`, "1x4 stale"},
			{`hmp_info{` + labels + `"studio", version="4.2", build="9"}`, "_x5 1x5"},
		},
		Expressions: []ruleExpression{
			dashboardExpression(t, "HMP Overview, HMPs, F", "8m",
				ruleSample{`{target="studio", version="4.2", build="9"}`, 1},
				ruleSample{`{target="campus", version="unknown"}`, 0}),
			dashboardExpression(t, "HMP Session, annotation HMP upgraded", "4m"),
			dashboardExpression(t, "HMP Session, annotation HMP upgraded", "5m", ruleSample{"{}", 1}),
			dashboardExpression(t, "HMP Session, annotation HMP upgraded", "6m"),
		},
	})
}

// TestDashboardsNotAnswering checks that an HMP whose responses do not end in time does not answer,
// as for the alert HMPUnreachable. An HMP that answers one session answers.
func TestDashboardsNotAnswering(t *testing.T) {
	const labels = `job="hmp", instance="exporter", target=`
	runRuleTest(t, ruleTest{
		Interval: "1m",
		Series: []ruleSeries{
			{`hmp_session_valid{` + labels + `"stalls", session="playout"}`, "0x4"},
			{`hmp_up{` + labels + `"stalls", session="playout"}`, "1x4"},
			{`hmp_session_probe_result{` + labels + `"stalls", session="playout", result="timeout"}`, "1x4"},
			{`hmp_session_valid{` + labels + `"answers", session="playout"}`, "0x4"},
			{`hmp_up{` + labels + `"answers", session="playout"}`, "1x4"},
			{`hmp_session_probe_result{` + labels + `"answers", session="playout", result="timeout"}`, "1x4"},
			{`hmp_session_valid{` + labels + `"answers", session="ingest"}`, "1x4"},
			{`hmp_up{` + labels + `"answers", session="ingest"}`, "1x4"},
			{`hmp_session_probe_result{` + labels + `"answers", session="ingest", result="timeout"}`, "0x4"},
		},
		Expressions: []ruleExpression{
			dashboardExpression(t, "HMP Overview, HMPs not answering, A", "2m", ruleSample{"{}", 1}),
			dashboardExpression(t, "HMP Overview, HMPs not answering, B", "2m", ruleSample{"{}", 2}),
		},
	})
}
