package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// alertsOfExporter are those of the results that no HMP and no network can cause.
var alertsOfExporter = map[string]string{"credentials": "HMPSessionInvalid", "saturated": "HMPExporterSaturated"}

// besides are the alerts that a session of the tests raises for other reasons than its result.
const besides = "HMPServiceMessages|HMPSessionIsAdmin|HMPSessionLoginSuspended|HMPWatchdog"

// TestAlertOfEachFault has promtool evaluate the rules over what is exported for each result that the fault matrix
// knows: the alert that the matrix names fires when its time has come, and no other.
func TestAlertOfEachFault(t *testing.T) {
	alerts := alertsOfResults(t)
	if len(alerts) != 15 {
		t.Errorf("the fault matrix has %d results, want the 15 that come from an HMP or a network: %v", len(alerts), alerts)
	}
	maps.Copy(alerts, alertsOfExporter)
	for result, alert := range alerts {
		t.Run(result, func(t *testing.T) {
			firing := []ruleSample{}
			if alert != "none" {
				firing = []ruleSample{{Labels: `{alertname="` + alert + `"}`, Value: 1}}
			}
			const firings = `count by (alertname) (ALERTS{alertstate="firing", alertname!~"` + besides + `"})`
			before, after := "2m45s", "4m45s"
			if alert == "HMPSessionInvalid" { // which lets the others speak first
				before, after = "4m45s", "5m"
			}
			checkRules(t, ruleTest{
				Interval: "15s",
				Series:   seriesOf(t, result),
				Expressions: []ruleExpression{
					{Expression: firings, Time: before, Samples: []ruleSample{}},
					{Expression: firings, Time: after, Samples: firing},
				},
			})
		})
	}
}

// A ruleTest is one of promtool's unit tests for rules.
type ruleTest struct {
	Interval    string           `yaml:"interval"`
	Series      []ruleSeries     `yaml:"input_series"`
	Expressions []ruleExpression `yaml:"promql_expr_test"`
}

type ruleSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type ruleExpression struct {
	Expression string       `yaml:"expr"`
	Time       string       `yaml:"eval_time"`
	Samples    []ruleSample `yaml:"exp_samples"`
}

type ruleSample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

func checkRules(t *testing.T, test ruleTest) {
	t.Helper()
	var rules []string
	order := []string{"hmp-state"} // what the others stand on
	for _, path := range ruleFiles(t) {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, absolute)
		var file ruleFile
		decode(t, path, &file)
		for _, group := range file.Groups {
			if group.Name != order[0] {
				order = append(order, group.Name)
			}
		}
	}
	text, err := yaml.Marshal(map[string]any{
		"rule_files":          rules,
		"group_eval_order":    order,
		"evaluation_interval": "15s",
		"tests":               []ruleTest{test},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := command(t, tool("promtool"), "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, output)
	}
}

// seriesOf returns what is exported for a result, at each of many scrapes.
func seriesOf(t *testing.T, result string) (series []ruleSeries) {
	t.Helper()
	for line := range strings.Lines(string(read(t, "../../collector/testdata/"+result+".prom"))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && !strings.HasPrefix(line, "#") {
			series = append(series, ruleSeries{name + `,job="hmp",instance="exporter:10042"}`, value + "+0x20"})
		}
	}
	return series
}

var faultRow = regexp.MustCompile("(?m)^\\| .+ \\| `([a-z_]+)` \\| [01]? \\| .* \\| `?(none|HMP[A-Za-z]+)`? \\|$")

// alertsOfResults returns the alert that the fault matrix names for each result, or "none".
func alertsOfResults(t *testing.T) map[string]string {
	t.Helper()
	alerts := make(map[string]string)
	rows := faultRow.FindAllStringSubmatch(string(read(t, "../../docs/fault-matrix.md")), -1)
	for _, row := range rows {
		result, alert := row[1], row[2]
		if before, ok := alerts[result]; ok && before != alert {
			t.Errorf("%s is said to raise %s and %s", result, before, alert)
		}
		alerts[result] = alert
	}
	return alerts
}
