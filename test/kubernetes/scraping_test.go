package kubernetes

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	klabels "k8s.io/apimachinery/pkg/labels"
)

// TestMonitors checks the port and the path of the operator's objects, and that the ServiceMonitor
// selects one of the two Services of the same pods. The job does not depend on the name of the release.
func TestMonitors(t *testing.T) {
	full := render(t, "full.yaml")
	monitor := get[*monitoringv1.ServiceMonitor](t, full, "ServiceMonitor/hmp").Spec
	service := get[*corev1.Service](t, full, "Service/hmp")
	endpoint := monitor.Endpoints[0]
	if endpoint.Port != service.Spec.Ports[0].Name || endpoint.Path != "/all" || endpoint.Scheme.String() != "https" {
		t.Errorf("Prometheus scrapes %s %s %s", endpoint.Port, endpoint.Path, endpoint.Scheme)
	}
	if !endpoint.HonorLabels || !*get[*monitoringv1alpha1.ScrapeConfig](t, full, "ScrapeConfig/hmp").Spec.HonorLabels {
		t.Error("a label target of the scrape replaces the exporter's")
	}
	selector, err := metav1.LabelSelectorAsSelector(&monitor.Selector)
	if err != nil {
		t.Fatal(err)
	}
	var selected []string
	for name, object := range full {
		if object, ok := object.(*corev1.Service); ok && selector.Matches(klabels.Set(object.Labels)) {
			selected = append(selected, name)
		}
	}
	if diff := cmp.Diff([]string{"Service/hmp"}, selected); diff != "" {
		t.Errorf("the ServiceMonitor selects (-want +got):\n%s", diff)
	}
	if job := service.Labels[monitor.JobLabel]; !regexp.MustCompile(`^hmp.*$`).MatchString(job) {
		t.Errorf("the job is %q", job)
	}
}

// TestScrapeConfig relabels targets from /sd. Each leads to the Service or to its replica, and has the
// namespace of the release.
func TestScrapeConfig(t *testing.T) {
	const single = `
collector: {sessions: false}
scrapeConfig: {enabled: true}
demo: true`
	got := relabelTarget(t, "studio", get[*monitoringv1alpha1.ScrapeConfig](t, render(t, single), "ScrapeConfig/"+fullname))
	want := map[string]string{"__address__": fullname + ".monitoring.svc:10042", "__param_target": "studio", "instance": "studio", "namespace": namespace}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a target (-want +got):\n%s", diff)
	}

	all := render(t, "full.yaml")
	config := get[*monitoringv1alpha1.ScrapeConfig](t, all, "ScrapeConfig/hmp")
	replicas := make(map[string]int)
	for _, name := range []string{"studio", "arena", "north", "south", "east", "west", "lab", "ob-van-1", "ob-van-2"} {
		target := relabelTarget(t, name, config)
		if target["instance"] != name || target["cluster"] != "studio" {
			t.Errorf("%s becomes %v", name, target)
		}
		replicas[target["__address__"]]++
	}
	address := regexp.MustCompile(`^hmp-[012]\.hmp-shards\.monitoring\.svc:8443$`)
	for replica := range replicas {
		if !address.MatchString(replica) {
			t.Errorf("there is no replica %s", replica)
		}
	}
	if len(replicas) != 3 {
		t.Errorf("targets are spread as %v, want some on each of 3 replicas", replicas)
	}
	if sd := config.Spec.HTTPSDConfigs[0].URL; string(sd) != "https://hmp.monitoring.svc:8443/sd" {
		t.Errorf("targets are discovered at %s", sd)
	}
}

// relabelTarget relabels a target as Prometheus does, with the rules of a ScrapeConfig. It returns
// the labels without temporary ones.
func relabelTarget(t *testing.T, address string, config *monitoringv1alpha1.ScrapeConfig) map[string]string {
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
	builder := labels.NewBuilder(labels.FromStrings("__address__", address))
	if !relabel.ProcessBuilder(builder, rules...) {
		t.Fatalf("%s is dropped", address)
	}
	after := builder.Labels().Map()
	maps.DeleteFunc(after, func(name, _ string) bool { return strings.HasPrefix(name, "__tmp") })
	return after
}

// TestExternalURL checks that Prometheus and the kubelet use the path of the external URL, or the
// prefix that the user sets.
func TestExternalURL(t *testing.T) {
	const values = `
demo: true
collector: {sessions: false}
scrapeConfig: {enabled: true}
serviceMonitor: {enabled: true}
web: {externalUrl: "https://tools.example/hmp/", routePrefix: %q}`
	for given, prefix := range map[string]string{"": "/hmp", "/": "", "/other": "/other"} {
		all := render(t, fmt.Sprintf(values, given))
		config := get[*monitoringv1alpha1.ScrapeConfig](t, all, "ScrapeConfig/"+fullname).Spec
		container := podOf(t, all).Spec.Containers[0]
		got := []string{
			get[*monitoringv1.ServiceMonitor](t, all, "ServiceMonitor/"+fullname).Spec.Endpoints[0].Path, *config.MetricsPath,
			strings.TrimPrefix(string(config.HTTPSDConfigs[0].URL), "http://"+fullname+".monitoring.svc:10042"),
			container.LivenessProbe.HTTPGet.Path, container.ReadinessProbe.HTTPGet.Path,
		}
		want := []string{prefix + "/metrics", prefix + "/probe", prefix + "/sd", prefix + "/-/healthy", prefix + "/-/ready"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("routePrefix %q (-want +got):\n%s", given, diff)
		}
		if !slices.Contains(container.Args, "--web.external-url=https://tools.example/hmp/") {
			t.Errorf("the program lacks the URL: %q", container.Args)
		}
	}
}

// TestNetworkPolicy checks the connections to and from the pods.
func TestNetworkPolicy(t *testing.T) {
	policy := get[*networkingv1.NetworkPolicy](t, render(t, "full.yaml"), "NetworkPolicy/hmp").Spec
	if len(policy.Ingress) != 1 || policy.Ingress[0].Ports[0].Port.String() != "http" || policy.Ingress[0].From[0].PodSelector == nil {
		t.Errorf("ingress is %v", policy.Ingress)
	}
	var ports []int
	for _, rule := range policy.Egress {
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.IntValue())
		}
	}
	if diff := cmp.Diff([]int{53, 53, 5353, 5353, 443, 8080}, ports); diff != "" || len(policy.Egress[1].To) != 1 {
		t.Errorf("egress (-want +got):\n%s", diff)
	}
	if len(policy.PolicyTypes) != 2 {
		t.Errorf("the policy has only the types %v", policy.PolicyTypes)
	}
}
