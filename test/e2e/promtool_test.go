package e2e

import (
	"path/filepath"
	"testing"
)

// A ruleTest is a unit test of promtool for rules.
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

// runRuleTest runs a unit test with the shipped rules.
func runRuleTest(t *testing.T, test ruleTest) {
	t.Helper()
	var rules []string
	order := []string{"hmp-state"} // the other groups use its series
	for _, path := range ruleFiles(t) {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, absolute)
		var file ruleFile
		readYAML(t, path, &file)
		for _, group := range file.Groups {
			if group.Name != order[0] {
				order = append(order, group.Name)
			}
		}
	}
	text := toYAML(t, map[string]any{
		"rule_files":          rules,
		"group_eval_order":    order,
		"evaluation_interval": "15s",
		"tests":               []ruleTest{test},
	})
	run(t, tool("promtool"), "test", "rules", write(t, t.TempDir(), "test.yml", text))
}
