package e2e

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A ruleFile is what Prometheus reads of a file of rules.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert, Record string
	Expr          string
	For           string
	Labels        map[string]string
	Annotations   map[string]string
}

// ruleFiles are the shipped files of rules, those that a deployment mounts.
func ruleFiles(t *testing.T) []string { return glob(t, "../../dashboards/alerts/*.yml") }

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no %s: %v", pattern, err)
	}
	return files
}

// shippedRules are the rules of all files.
func shippedRules(t *testing.T) (rules []rule) {
	t.Helper()
	for _, path := range ruleFiles(t) {
		var file ruleFile
		decode(t, path, &file)
		for _, group := range file.Groups {
			rules = append(rules, group.Rules...)
		}
	}
	return rules
}

// shippedAlerts are those that are alerts, by name.
func shippedAlerts(t *testing.T) map[string]rule {
	t.Helper()
	alerts := make(map[string]rule)
	for _, r := range shippedRules(t) {
		if _, twice := alerts[r.Alert]; twice {
			t.Errorf("there are two alerts %s", r.Alert)
		}
		if r.Alert != "" {
			alerts[r.Alert] = r
		}
	}
	return alerts
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, path), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestRulesLint has promtool lint the rules.
func TestRulesLint(t *testing.T) {
	t.Parallel()
	args := append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, ruleFiles(t)...)
	if output, err := command(t, tool("promtool"), args...).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, output)
	}
}

// TestRulesUnit runs the unit tests of the rules.
func TestRulesUnit(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, "../../dashboards/alerts/tests/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if output, err := command(t, tool("promtool"), "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("promtool test rules: %v\n%s", err, output)
			}
		})
	}
}

// TestRulesAreTested is that the unit tests want each alert to fire, with all that it says, and some step before not. One
// of no severity always fires.
func TestRulesAreTested(t *testing.T) {
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, path := range glob(t, "../../dashboards/alerts/tests/*.yml") {
		var file struct {
			Tests []struct {
				Alerts []struct {
					Name     string           `yaml:"alertname"`
					Expected []map[string]any `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		decode(t, path, &file)
		for _, test := range file.Tests {
			for _, alert := range test.Alerts {
				into := fires
				if len(alert.Expected) == 0 {
					into = silent
				}
				into[alert.Name] = true
			}
		}
	}
	for name, alert := range shippedAlerts(t) {
		if !fires[name] || silent[name] == (alert.Labels["severity"] == "none") {
			t.Errorf("%s: a unit test has it fire: %t, and be silent: %t", name, fires[name], silent[name])
		}
	}
}

// What every alert is made of.
func TestAlertsHaveEverything(t *testing.T) {
	camelCase := regexp.MustCompile(`^HMP([A-Z][a-z]+)+$`)
	for name, alert := range shippedAlerts(t) {
		if !camelCase.MatchString(name) {
			t.Errorf("%s is not HMP and words in CamelCase", name)
		}
		if !slices.Contains([]string{"critical", "warning", "info", "none"}, alert.Labels["severity"]) || len(alert.Labels) != 1 {
			t.Errorf("%s has the labels %v, want a severity", name, alert.Labels)
		}
		want := []string{"dashboard_url", "description", "runbook_url", "summary"}
		if got := slices.Sorted(maps.Keys(alert.Annotations)); !slices.Equal(got, want) {
			t.Errorf("%s has the annotations %v, want %v", name, got, want)
		}
		// Alerts about sessions are of one group with others of their HMP.
		if summary := alert.Annotations["summary"]; strings.Contains(summary, "session }}") || strings.Contains(summary, "$value") {
			t.Errorf("the summary of %s is not the same for all of its group: %s", name, summary)
		}
		if url := alert.Annotations["dashboard_url"]; !dashboardURL.MatchString(url) {
			t.Errorf("the dashboard of %s is at %s", name, url)
		}
	}
}

var dashboardURL = regexp.MustCompile(`^http://localhost:3000/d/hmp-(overview|session|exporter)(\?var-\w+=\{\{ \$labels\.\w+ \}\}(&var-\w+=\{\{ \$labels\.\w+ \}\})*)?$`)

// A metric in a rule is one that the exporter has, or one that a rule records.
func TestRulesNameMetricsThatExist(t *testing.T) {
	documented := regexp.MustCompile("(?m)^\\| `(hmp_[a-z_]+)` \\| (gauge|counter|histogram) ")
	names := make(map[string]bool)
	for _, row := range documented.FindAllStringSubmatch(string(read(t, "../../docs/metrics.md")), -1) {
		names[row[1]] = true
	}
	rules := shippedRules(t)
	for _, r := range rules {
		names[r.Record] = true
	}
	metric := regexp.MustCompile(`([a-z_]+:)?hmp_[a-z0-9_]+(:[a-z0-9_]+)?`)
	seen := 0
	for _, r := range rules {
		for _, text := range []string{r.Expr, r.Annotations["description"]} {
			for _, name := range metric.FindAllString(text, -1) {
				if seen++; !names[name] && name != "hmp_exporter" {
					t.Errorf("%s%s names %s, which nothing exports or records", r.Alert, r.Record, name)
				}
			}
		}
	}
	if seen < len(rules) {
		t.Errorf("found %d metrics in %d rules", seen, len(rules))
	}
}
