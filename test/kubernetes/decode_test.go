package kubernetes

import (
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// objects are the objects of a rendered chart by "Kind/name".
type objects map[string]metav1.Object

// kinds are the kinds and versions that the chart may render.
var kinds = map[string]func() metav1.Object{
	"apps/v1 Deployment":                          func() metav1.Object { return new(appsv1.Deployment) },
	"apps/v1 StatefulSet":                         func() metav1.Object { return new(appsv1.StatefulSet) },
	"monitoring.coreos.com/v1 PrometheusRule":     func() metav1.Object { return new(monitoringv1.PrometheusRule) },
	"monitoring.coreos.com/v1 ServiceMonitor":     func() metav1.Object { return new(monitoringv1.ServiceMonitor) },
	"monitoring.coreos.com/v1alpha1 ScrapeConfig": func() metav1.Object { return new(monitoringv1alpha1.ScrapeConfig) },
	"networking.k8s.io/v1 NetworkPolicy":          func() metav1.Object { return new(networkingv1.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":               func() metav1.Object { return new(policyv1.PodDisruptionBudget) },
	"v1 ConfigMap":                                func() metav1.Object { return new(corev1.ConfigMap) },
	"v1 Service":                                  func() metav1.Object { return new(corev1.Service) },
	"v1 ServiceAccount":                           func() metav1.Object { return new(corev1.ServiceAccount) },
}

// decode decodes strictly: unknown fields and wrong types are errors.
func decode(t *testing.T, files map[string]string) objects {
	t.Helper()
	all := make(objects)
	for file, text := range files {
		if !strings.HasSuffix(file, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq("\n"+text, "\n---\n") {
			var meta metav1.TypeMeta
			if err := yaml.Unmarshal([]byte(document), &meta); err != nil {
				t.Fatalf("%s: %v\n%s", file, err, document)
			}
			if meta.Kind == "" && strings.TrimSpace(document) == "" {
				continue
			}
			kind := meta.APIVersion + " " + meta.Kind
			empty, ok := kinds[kind]
			if !ok {
				t.Fatalf("%s: %s is an unexpected kind:\n%s", file, kind, document)
			}
			object := empty()
			if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
				t.Fatalf("%s: %s: %v\n%s", file, kind, err, document)
			}
			name := meta.Kind + "/" + object.GetName()
			if _, twice := all[name]; twice {
				t.Fatalf("%s: there are two %s", file, name)
			}
			all[name] = object
		}
	}
	return all
}

// get returns the object of a kind and a name.
func get[T metav1.Object](t *testing.T, all objects, name string) T {
	t.Helper()
	object, ok := all[name].(T)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return object
}

// TestObjects checks the names and labels in each example as the API server does. The examples
// contain every kind.
func TestObjects(t *testing.T) {
	rendered := make(map[string]bool)
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			for name, object := range render(t, example) {
				kind, _, _ := strings.Cut(name, "/")
				rendered[kind] = true
				problems := validation.IsDNS1035Label(object.GetName())
				for key, value := range object.GetLabels() {
					problems = slices.Concat(problems, validation.IsQualifiedName(key), validation.IsValidLabelValue(value))
				}
				if len(problems) > 0 {
					t.Errorf("%s: %q", name, problems)
				}
				if object.GetNamespace() != namespace || object.GetLabels()["app.kubernetes.io/instance"] != release {
					t.Errorf("%s is not of release %s in namespace %s", name, release, namespace)
				}
			}
		})
	}
	if len(rendered) != len(kinds) {
		t.Errorf("the examples have only the kinds %v", rendered)
	}
}

// TestMinimal lists the objects when nothing is turned on.
func TestMinimal(t *testing.T) {
	var got []string
	for name := range render(t, "minimal.yaml") {
		got = append(got, name)
	}
	slices.Sort(got)
	want := []string{"ConfigMap/" + fullname, "Deployment/" + fullname, "Service/" + fullname, "ServiceAccount/" + fullname}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
