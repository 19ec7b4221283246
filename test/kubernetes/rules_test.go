package kubernetes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

const promtool = "../../.tools/promtool"

// The chart has symbolic links to these files, because Helm reads no files outside a chart.
const (
	ruleFiles      = "../../dashboards/alerts/*.yml"
	dashboardFiles = "../../dashboards/*.json"
)

func contents(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("there is no %s", pattern)
	}
	texts := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// TestRules compares each PrometheusRule with its source, which has other URLs. promtool checks it.
func TestRules(t *testing.T) {
	all := render(t, "full.yaml")
	sources, count := contents(t, ruleFiles), 0
	for file, text := range sources {
		text = strings.ReplaceAll(text, "https://hmp-exporter.example/", "https://runbooks.example/hmp/")
		text = strings.ReplaceAll(text, "http://localhost:3000/", "https://grafana.example/")
		name := "hmp-" + strings.TrimPrefix(strings.TrimSuffix(file, ".yml"), "hmp-")
		rule := get[*monitoringv1.PrometheusRule](t, all, "PrometheusRule/"+name)
		if rule.Labels["release"] != "kube-prometheus-stack" {
			t.Errorf("%s lacks the labels that select it", name)
		}
		var want monitoringv1.PrometheusRuleSpec
		if err := yaml.UnmarshalStrict([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rule.Spec); diff != "" {
			t.Errorf("%s (-%s +rendered):\n%s", name, file, diff)
		}
		checkRules(t, name, rule.Spec)
		for _, group := range rule.Spec.Groups {
			count += len(group.Rules)
		}
	}
	if count < 5 {
		t.Errorf("there are only %d rules", count)
	}
}

// TestAlertValues changes and disables alerts by values.
func TestAlertValues(t *testing.T) {
	rules := func(values string) map[string]monitoringv1.Rule {
		found := make(map[string]monitoringv1.Rule)
		for name, object := range render(t, "demo: true\nweb: {externalUrl: 'https://tools.example/hmp/'}\nprometheusRule: {enabled: true, "+values+"}") {
			if object, ok := object.(*monitoringv1.PrometheusRule); ok {
				checkRules(t, name, object.Spec)
				for _, group := range object.Spec.Groups {
					for _, rule := range group.Rules {
						found[rule.Alert+rule.Record] = rule
					}
				}
			}
		}
		return found
	}
	before := rules("dashboardPrefix: ''")
	for name, rule := range before {
		if rule.Alert != "" && (rule.Annotations["runbook_url"] != "https://tools.example/hmp/runbook#"+strings.ToLower(name) || rule.Annotations["dashboard_url"] != "") {
			t.Errorf("%s links to %q", name, rule.Annotations)
		}
	}

	after := rules(`alertLabels: {team: video, severity: page}, replicaLabels: [replica], alerts: {
		HMPSessionDisputed: {enabled: false},
		HMPSessionFlapping: {replace: {">= 6": ">= 12"}, for: 10m, labels: {severity: info, desk: night}, annotations: {note: later}},
		HMPInternalError: {expr: vector(1), keep_firing_for: 1h}}`)
	if _, ok := after["HMPSessionDisputed"]; ok || len(after) != len(before)-1 {
		t.Error("HMPSessionDisputed is on, or others are off")
	}
	want := before["HMPSessionFlapping"]
	want.For, want.Labels = ptr.To[monitoringv1.Duration]("10m"), map[string]string{"team": "video", "severity": "info", "desk": "night"}
	want.Annotations["note"] = "later"
	want.Expr.StrVal = withReplica(strings.ReplaceAll(want.Expr.StrVal, ">= 6", ">= 12"))
	if diff := cmp.Diff(want, after[want.Alert]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changed := after["HMPInternalError"]; changed.Expr.StrVal != "vector(1)" || *changed.KeepFiringFor != "1h" {
		t.Errorf("got %v", changed)
	}
	for name, rule := range after {
		if want := withReplica(before[name].Expr.StrVal); rule.Record != "" && rule.Expr.StrVal != want {
			t.Errorf("%s: got %s, want %s", name, rule.Expr.StrVal, want)
		}
		if rule.Alert != "" && (rule.Labels["team"] != "video" || rule.Labels["desk"] == "" && rule.Labels["severity"] != "page") {
			t.Errorf("%s has the labels %v", name, rule.Labels)
		}
		if strings.Contains(rule.Expr.StrVal, "ignoring (alertname, ") && !strings.Contains(rule.Expr.StrVal, "ignoring (alertname, alertstate, severity, desk, team") {
			t.Errorf("%s does not ignore all labels of alerts: %s", name, rule.Expr.StrVal)
		}
	}
}

func withReplica(expr string) string {
	const labels = "instance, pod, container, endpoint, service, node"
	return strings.ReplaceAll(expr, labels, labels+", replica")
}

func checkRules(t *testing.T, name string, spec monitoringv1.PrometheusRuleSpec) {
	t.Helper()
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "rules", "--lint=all", "--lint-fatal", file)
	if output, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s: promtool check rules: %v\n%s", name, err, output)
	}
}

// TestDashboards checks that Grafana's sidecar finds each dashboard. A ConfigMap may not be too large.
func TestDashboards(t *testing.T) {
	all := render(t, "full.yaml")
	for file, text := range contents(t, dashboardFiles) {
		name := "hmp-" + strings.TrimPrefix(strings.TrimSuffix(file, ".json"), "hmp-")
		object := get[*corev1.ConfigMap](t, all, "ConfigMap/"+name)
		if diff := cmp.Diff(map[string]string{file: text}, object.Data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		const maxSize = 1 << 20 // of a ConfigMap
		if size := object.Size(); size > maxSize*3/4 {
			t.Errorf("%s has %d bytes, near the limit of %d", name, size, maxSize)
		}
		if object.Labels["grafana_dashboard"] != "1" || object.Annotations["grafana_folder"] != "HMP" {
			t.Errorf("%s is not marked for the sidecar: %v %v", name, object.Labels, object.Annotations)
		}
	}
}
