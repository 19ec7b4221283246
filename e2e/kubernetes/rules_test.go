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
	"sigs.k8s.io/yaml"
)

const promtool = "../../.tools/promtool"

// copies are the files of the repository that the chart has to have within itself, as Helm reads no others.
var copies = map[string]string{
	"files/alerts":     "../../dashboards/alerts/*.yml",
	"files/dashboards": "../../dashboards/*.json",
}

// TestCopies checks that the chart has the rules and the dashboards as they are.
func TestCopies(t *testing.T) {
	for dir, pattern := range copies {
		want, got := contents(t, pattern), contents(t, filepath.Join(chartDir, dir, "*"))
		if len(want) == 0 {
			t.Errorf("there is no %s to copy", pattern)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is not what there is in the repository; `make chart` copies it (-want +got):\n%s", dir, diff)
		}
	}
}

func contents(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
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

// TestRules has promtool check each PrometheusRule, and compares it with the rules that it is made from: only the URLs in
// it are others.
func TestRules(t *testing.T) {
	all := render(t, "full.yaml")
	sources, count := contents(t, copies["files/alerts"]), 0
	for file, text := range sources {
		text = strings.ReplaceAll(text, "https://hmp-exporter.example/", "https://runbooks.example/hmp/")
		text = strings.ReplaceAll(text, "http://localhost:3000/", "https://grafana.example/")
		name := "hmp-" + strings.TrimPrefix(strings.TrimSuffix(file, ".yml"), "hmp-")
		rule := get[*monitoringv1.PrometheusRule](t, all, "PrometheusRule/"+name)
		if rule.Labels["release"] != "kube-prometheus-stack" {
			t.Errorf("%s has not the labels that it is to be selected by", name)
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

// TestDashboards checks that the sidecar of Grafana finds each dashboard, whole, in an object that is not too large.
func TestDashboards(t *testing.T) {
	all := render(t, "full.yaml")
	for file, text := range contents(t, copies["files/dashboards"]) {
		name := "hmp-" + strings.TrimPrefix(strings.TrimSuffix(file, ".json"), "hmp-")
		object := get[*corev1.ConfigMap](t, all, "ConfigMap/"+name)
		text = strings.ReplaceAll(text, "https://hmp-exporter.example/", "https://runbooks.example/hmp/")
		text = strings.ReplaceAll(text, "http://localhost:3000/", "https://grafana.example/")
		if diff := cmp.Diff(map[string]string{file: text}, object.Data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		const most = 1 << 20 // of a ConfigMap, all in all
		if size := object.Size(); size > most*3/4 {
			t.Errorf("%s has %d bytes, which comes close to the %d that there may be", name, size, most)
		}
		if object.Labels["grafana_dashboard"] != "1" || object.Annotations["grafana_folder"] != "HMP" {
			t.Errorf("%s is not marked for the sidecar: %v %v", name, object.Labels, object.Annotations)
		}
	}
}
