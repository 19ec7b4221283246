package e2e

import (
	"bytes"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/collector"
)

// A rule is an alert or a recording rule.
type rule struct {
	Alert, Record, Expr, For string
	KeepFiringFor            string `yaml:"keep_firing_for"`
	Labels, Annotations      map[string]string
}

// A ruleFile is a file of rules.
type ruleFile struct {
	Groups []struct {
		Name, Interval string
		Rules          []rule
	}
}

// ruleFiles returns the shipped files of rules.
func ruleFiles(t *testing.T) []string { return glob(t, "../../dashboards/alerts/*.yml") }

// shippedRules returns the rules of all files.
func shippedRules(t *testing.T) (rules []rule) {
	t.Helper()
	for _, path := range ruleFiles(t) {
		var file ruleFile
		readYAML(t, path, &file)
		for _, group := range file.Groups {
			rules = append(rules, group.Rules...)
		}
	}
	return rules
}

// shippedAlerts returns the alerts by name.
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

// TestRules checks the rules with promtool and runs their unit tests.
func TestRules(t *testing.T) {
	t.Parallel()
	run(t, tool("promtool"), append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, ruleFiles(t)...)...)
	for _, file := range glob(t, "../../dashboards/alerts/tests/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) { run(t, tool("promtool"), "test", "rules", file) })
	}
}

// TestRulesAreTested checks that for each alert a unit test has a step in which it fires, and
// one in which it does not. An alert with the severity none always fires.
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
		readYAML(t, path, &file)
		for _, test := range file.Tests {
			for _, alert := range test.Alerts {
				if len(alert.Expected) == 0 {
					silent[alert.Name] = true
				} else {
					fires[alert.Name] = true
				}
			}
		}
	}
	for name, alert := range shippedAlerts(t) {
		if !fires[name] || silent[name] == (alert.Labels["severity"] == "none") {
			t.Errorf("%s: fires in a unit test: %t, is silent in one: %t", name, fires[name], silent[name])
		}
	}
}

var (
	camelCase    = regexp.MustCompile(`^HMP([A-Z][a-z]+)+$`)
	dashboardURL = regexp.MustCompile(`^http://localhost:3000/d/hmp-(overview|session|exporter)(\?var-\w+=\{\{ \$labels\.\w+ \}\}(&var-\w+=\{\{ \$labels\.\w+ \}\})*)?$`)
)

// TestAlertsAreComplete checks the name, the labels and the annotations of each alert.
func TestAlertsAreComplete(t *testing.T) {
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
		if summary := alert.Annotations["summary"]; strings.Contains(summary, "session }}") || strings.Contains(summary, "$value") {
			t.Errorf("the summary of %s differs within its group: %s", name, summary)
		}
		if url := alert.Annotations["dashboard_url"]; !dashboardURL.MatchString(url) {
			t.Errorf("%s has the dashboard %s", name, url)
		}
	}
}

// TestRulesUseKnownMetrics checks that the exporter or a rule provides each metric in a rule.
func TestRulesUseKnownMetrics(t *testing.T) {
	names := map[string]bool{"hmp_exporter": true} // the program, in a description
	for _, m := range collector.Metrics {
		names[m.Name] = true
	}
	rules := shippedRules(t)
	for _, r := range rules {
		names[r.Record] = true
	}
	metric := regexp.MustCompile(`([a-z_]+:)?hmp_[a-z0-9_]+(:[a-z0-9_]+)?`)
	seen := 0
	for _, r := range rules {
		for _, name := range metric.FindAllString(r.Expr+" "+r.Annotations["description"], -1) {
			if seen++; !names[name] {
				t.Errorf("%s%s has the unknown metric %s", r.Alert, r.Record, name)
			}
		}
	}
	if seen < len(rules) {
		t.Errorf("found %d metrics in %d rules", seen, len(rules))
	}
}

// exporterLabels are the labels that differ between exporters of the same HMP.
// hmp-recording.yml lists them and says how a user adds one.
var exporterLabels = strings.Fields("instance pod container endpoint service node")

var (
	droppingList = regexp.MustCompile(`\b(without|ignoring) ?\(([^()]*)\)`)
	keepingList  = regexp.MustCompile(`\b(by|on|group_left|group_right) ?\(`)
)

// TestRulesKeepLabels checks that rules list the labels that they drop, not the labels that
// they keep. A list with one of exporterLabels must begin with all of them.
func TestRulesKeepLabels(t *testing.T) {
	lists := 0
	for _, r := range shippedRules(t) {
		name := r.Alert + r.Record
		if found := keepingList.FindString(r.Expr); found != "" {
			t.Errorf("%s has %s…), which drops the user's labels", name, found)
		}
		for _, list := range droppingList.FindAllStringSubmatch(r.Expr, -1) {
			labels := strings.FieldsFunc(list[2], func(c rune) bool { return c == ',' || c == ' ' })
			if !slices.ContainsFunc(labels, func(label string) bool { return slices.Contains(exporterLabels, label) }) {
				continue
			}
			if lists++; !slices.Equal(labels[:min(len(labels), len(exporterLabels))], exporterLabels) {
				t.Errorf("%s has %s, want all of %q first", name, list[0], exporterLabels)
			}
		}
	}
	if lists < 12 {
		t.Errorf("only %d lists drop the labels of exporters", lists)
	}
	if text := read(t, "../../dashboards/alerts/hmp-recording.yml"); !strings.Contains(text, "#     "+strings.Join(exporterLabels, ", ")+"\n") {
		t.Errorf("hmp-recording.yml does not say that rules drop %q", exporterLabels)
	}
}

// TestRulesNameJobsOnce checks that only one rule contains the names of the exporter's jobs.
func TestRulesNameJobsOnce(t *testing.T) {
	var naming []string
	for _, r := range shippedRules(t) {
		if strings.Contains(r.Expr, "job=") {
			naming = append(naming, r.Alert+r.Record)
		}
	}
	if diff := cmp.Diff([]string{"HMPExporterScrapeFailing"}, naming); diff != "" {
		t.Errorf("rules with names of jobs (-want +got):\n%s", diff)
	}
}

// functionsOf242 are the functions of Prometheus 2.42 that rules may use, and operators that
// look like functions.
var functionsOf242 = strings.Fields(`abs absent avg avg_over_time changes clamp_max clamp_min count count_over_time
	delta increase last_over_time max max_over_time min min_over_time present_over_time quantile_over_time rate resets
	sort sort_desc sum sum_over_time time timestamp topk vector
	and ignoring or unless without`)

// TestRulesOf242 checks that Prometheus 2.42, the oldest in the documents, can load the
// rules. They may not have newer fields or functions.
func TestRulesOf242(t *testing.T) {
	for _, path := range ruleFiles(t) {
		decoder := yaml.NewDecoder(bytes.NewReader([]byte(read(t, path))))
		decoder.KnownFields(true)
		if err := decoder.Decode(new(ruleFile)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	text, function := regexp.MustCompile(`"[^"]*"`), regexp.MustCompile(`\b([a-z_0-9]+)\s*\(`)
	for _, r := range shippedRules(t) {
		for _, found := range function.FindAllStringSubmatch(text.ReplaceAllString(r.Expr, ""), -1) {
			if !slices.Contains(functionsOf242, found[1]) {
				t.Errorf("%s%s has %s(); Prometheus 2.42 may not have it", r.Alert, r.Record, found[1])
			}
		}
	}
}
