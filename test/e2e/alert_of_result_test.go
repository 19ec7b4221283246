package e2e

import (
	"maps"
	"regexp"
	"strings"
	"testing"
)

// alertsOfExporter are the alerts of the results that no HMP and no network can cause.
var alertsOfExporter = map[string]string{"credentials": "HMPSessionInvalid", "saturated": "HMPExporterSaturated"}

// TestAlertOfEachResult evaluates the rules for each result in the fault matrix. The alert
// that the matrix names must fire in time, and no other.
func TestAlertOfEachResult(t *testing.T) {
	t.Parallel()
	alerts := alertsOfFaultMatrix(t)
	if len(alerts) != 15 {
		t.Errorf("the fault matrix has %d results, want the 15 that an HMP or a network can cause: %v", len(alerts), alerts)
	}
	maps.Copy(alerts, alertsOfExporter)
	// These alerts have other causes than the result.
	const others = "HMPServiceMessages|HMPSessionIsAdmin|HMPSessionLoginSuspended|HMPWatchdog"
	const firing = `count by (alertname) (ALERTS{alertstate="firing", alertname!~"` + others + `"})`
	for result, alert := range alerts {
		t.Run(result, func(t *testing.T) {
			want := []ruleSample{}
			if alert != "none" {
				want = []ruleSample{{Labels: `{alertname="` + alert + `"}`, Value: 1}}
			}
			before, after := "2m45s", "4m45s"
			if alert == "HMPSessionInvalid" { // waits longer than the others
				before, after = "4m45s", "5m"
			}
			runRuleTest(t, ruleTest{
				Interval: "15s",
				Series:   seriesOfResult(t, result),
				Expressions: []ruleExpression{
					{Expression: firing, Time: before, Samples: []ruleSample{}},
					{Expression: firing, Time: after, Samples: want},
				},
			})
		})
	}
}

// seriesOfResult returns the metrics of a session with a result, at 21 scrapes.
func seriesOfResult(t *testing.T, result string) (series []ruleSeries) {
	t.Helper()
	for line := range strings.Lines(read(t, "../../collector/testdata/"+result+".prom")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && !strings.HasPrefix(line, "#") {
			series = append(series, ruleSeries{name + `,job="hmp",instance="exporter:10042"}`, value + "+0x20"})
		}
	}
	return series
}

var faultRow = regexp.MustCompile("(?m)^\\| .+ \\| `([a-z_]+)` \\| [01]? \\| .* \\| `?(none|HMP[A-Za-z]+)`? \\|$")

// alertsOfFaultMatrix returns the alert of each result, or "none".
func alertsOfFaultMatrix(t *testing.T) map[string]string {
	t.Helper()
	alerts := make(map[string]string)
	for _, row := range faultRow.FindAllStringSubmatch(read(t, "../../docs/fault-matrix.md"), -1) {
		result, alert := row[1], row[2]
		if other, ok := alerts[result]; ok && other != alert {
			t.Errorf("the fault matrix has the alerts %s and %s for %s", other, alert, result)
		}
		alerts[result] = alert
	}
	return alerts
}
