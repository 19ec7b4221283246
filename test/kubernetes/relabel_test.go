package kubernetes

import (
	"strings"
	"testing"

	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	klabels "k8s.io/apimachinery/pkg/labels"
)

func labelSet(of map[string]string) klabels.Set { return of }

// relabelled has the labels of a target.
type relabelled map[string]string

// through relabels a target with the rules of a ScrapeConfig and the code of Prometheus. It omits
// temporary labels.
func (r relabelled) through(t *testing.T, config *monitoringv1alpha1.ScrapeConfig) relabelled {
	t.Helper()
	var rules []*relabel.Config
	for _, rule := range config.Spec.RelabelConfigs {
		next := relabel.DefaultRelabelConfig
		next.NameValidationScheme = model.UTF8Validation
		next.TargetLabel, next.Modulus = rule.TargetLabel, uint64(rule.Modulus)
		for _, label := range rule.SourceLabels {
			next.SourceLabels = append(next.SourceLabels, model.LabelName(label))
		}
		if rule.Replacement != nil {
			next.Replacement = *rule.Replacement
		}
		if rule.Action != "" {
			next.Action = relabel.Action(strings.ToLower(rule.Action))
		}
		if rule.Regex != "" || rule.Separator != nil {
			t.Fatalf("the test does not support this rule: %v", rule)
		}
		if err := next.Validate(model.UTF8Validation); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, &next)
	}
	builder := labels.NewBuilder(labels.FromMap(r))
	if !relabel.ProcessBuilder(builder, rules...) {
		t.Fatalf("%v is dropped", r)
	}
	after := relabelled(builder.Labels().Map())
	for name := range after {
		if strings.HasPrefix(name, "__tmp") {
			delete(after, name)
		}
	}
	return after
}
