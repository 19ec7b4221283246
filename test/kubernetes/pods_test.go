package kubernetes

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// podOf returns the pod template of an example.
func podOf(t *testing.T, all objects) corev1.PodTemplateSpec {
	t.Helper()
	for _, object := range all {
		switch workload := object.(type) {
		case *appsv1.Deployment:
			return workload.Spec.Template
		case *appsv1.StatefulSet:
			return workload.Spec.Template
		}
	}
	t.Fatal("there is no Deployment and no StatefulSet")
	return corev1.PodTemplateSpec{}
}

// TestPodIsConfined checks that pods meet the "restricted" standard of Kubernetes. They have no
// token of its API and no writable directory.
func TestPodIsConfined(t *testing.T) {
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			pod := podOf(t, render(t, example))
			container := pod.Spec.Containers[0]
			type confinement struct {
				NonRoot, ReadOnlyRoot, Escalation, Token, ServiceLinks bool
				User                                                   *int64 // the image's, or OpenShift's
				Seccomp                                                corev1.SeccompProfileType
				Drop                                                   []corev1.Capability
				Writable                                               []string
			}
			want := confinement{NonRoot: true, ReadOnlyRoot: true, Seccomp: corev1.SeccompProfileTypeRuntimeDefault, Drop: []corev1.Capability{"ALL"}}
			got := confinement{
				NonRoot: *pod.Spec.SecurityContext.RunAsNonRoot, User: pod.Spec.SecurityContext.RunAsUser, Seccomp: pod.Spec.SecurityContext.SeccompProfile.Type,
				ReadOnlyRoot: *container.SecurityContext.ReadOnlyRootFilesystem, Escalation: *container.SecurityContext.AllowPrivilegeEscalation,
				Drop: container.SecurityContext.Capabilities.Drop, Token: *pod.Spec.AutomountServiceAccountToken, ServiceLinks: *pod.Spec.EnableServiceLinks,
			}
			for _, mount := range container.VolumeMounts {
				if !mount.ReadOnly {
					got.Writable = append(got.Writable, mount.MountPath)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, volume := range pod.Spec.Volumes {
				if volume.Projected != nil && *volume.Projected.DefaultMode != 0o440 {
					t.Errorf("secrets have mode %o", *volume.Projected.DefaultMode)
				}
			}
			if container.Resources.Limits.Memory().IsZero() {
				t.Error("there is no memory limit")
			}
		})
	}
}

// TestPodOnOpenShift checks that the pods have no user or group ID. The SCC "restricted-v2" refuses
// an ID outside the range of the namespace. An ID that the user sets stays.
func TestPodOnOpenShift(t *testing.T) {
	for values, want := range map[string]*int64{
		`demo: true`: nil,
		`{demo: true, podSecurityContext: {fsGroup: 1000650000}}`: ptr.To[int64](1000650000),
	} {
		files, err := helmTemplate(t, exampleValues(t, values), "security.openshift.io/v1")
		if err != nil {
			t.Fatal(err)
		}
		context := podOf(t, decode(t, files)).Spec.SecurityContext
		if diff := cmp.Diff([]*int64{nil, nil, want}, []*int64{context.RunAsUser, context.RunAsGroup, context.FSGroup}); diff != "" {
			t.Errorf("%s: user and groups (-want +got):\n%s", values, diff)
		}
	}
}

// TestPodExtras checks that the pods have the volumes and the environment that the user adds.
func TestPodExtras(t *testing.T) {
	pod := podOf(t, render(t, `
environment: {url: "https://hmp.example"}
extraEnv: [{name: HMP_TOKEN, valueFrom: {secretKeyRef: {name: hmp, key: token}}}]
extraVolumes: [{name: vault, csi: {driver: secrets-store.csi.k8s.io, readOnly: true}}]
extraVolumeMounts: [{name: vault, mountPath: /mnt/secrets, readOnly: true}]`)).Spec
	if len(pod.Volumes) != 1 || pod.Volumes[0].CSI == nil || len(pod.Containers[0].VolumeMounts) != 1 || pod.Containers[0].VolumeMounts[0].MountPath != "/mnt/secrets" {
		t.Errorf("got volumes %v at %v", pod.Volumes, pod.Containers[0].VolumeMounts)
	}
	if env := pod.Containers[0].Env; len(env) != 2 || env[1].ValueFrom.SecretKeyRef.Key != "token" {
		t.Errorf("got environment %v", env)
	}
}

// TestPodSelected checks that all selectors match the pods.
func TestPodSelected(t *testing.T) {
	all := render(t, "full.yaml")
	labels := podOf(t, all).Labels
	workload := get[*appsv1.StatefulSet](t, all, "StatefulSet/hmp")
	shards := get[*corev1.Service](t, all, "Service/hmp-shards")
	if workload.Spec.ServiceName != shards.Name || shards.Spec.ClusterIP != corev1.ClusterIPNone {
		t.Errorf("the pods have no names by %s", shards.Name)
	}
	for name, selector := range map[string]map[string]string{
		"workload": workload.Spec.Selector.MatchLabels, "shards": shards.Spec.Selector,
		"service": get[*corev1.Service](t, all, "Service/hmp").Spec.Selector,
		"spread":  workload.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
	} {
		if len(selector) == 0 {
			t.Errorf("%s selects everything", name)
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s selects pods with %s=%s, but they have %s", name, key, value, labels[key])
			}
		}
	}
}

// TestPodSpread checks that a constraint of the user keeps its labelSelector. A constraint without
// one gets the selector of the pods.
func TestPodSpread(t *testing.T) {
	all := render(t, `{demo: true, topologySpreadConstraints: [
		{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {team: video}}},
		{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: team, operator: Exists}]}},
		{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]}`)
	want := []*metav1.LabelSelector{
		{MatchLabels: map[string]string{"team": "video"}},
		{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: metav1.LabelSelectorOpExists}}},
		{MatchLabels: map[string]string{"app.kubernetes.io/name": "hmp-exporter", "app.kubernetes.io/instance": release}},
	}
	var got []*metav1.LabelSelector
	for _, constraint := range podOf(t, all).Spec.TopologySpreadConstraints {
		got = append(got, constraint.LabelSelector)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestConfigurationKeepsPods checks that a changed configuration does not change the pods. New
// pods would log in again. The program loads the configuration itself.
func TestConfigurationKeepsPods(t *testing.T) {
	of := func(url string) corev1.PodTemplateSpec {
		return podOf(t, render(t, `config: {targets: [{name: studio, url: "`+url+`", sessions: [{name: playout, token_file: /token}]}]}`))
	}
	before, after := of("https://hmp.example"), of("https://other.example")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a changed configuration changes the pods (-before +after):\n%s", diff)
	}
	for _, example := range examples(t) {
		args := podOf(t, render(t, example)).Spec.Containers[0].Args
		if !slices.Contains(args, "--config.auto-reload-interval=30s") {
			t.Errorf("%s: nothing loads a changed configuration: %q", example, args)
		}
	}
}

// TestPodProbes checks the probes of the kubelet. If the pages need a password or a certificate,
// the kubelet connects to the port only.
func TestPodProbes(t *testing.T) {
	paths := func(example string) (found []string) {
		container := podOf(t, render(t, example)).Spec.Containers[0]
		for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
			switch {
			case probe.HTTPGet != nil:
				found = append(found, probe.HTTPGet.Port.String()+probe.HTTPGet.Path)
			case probe.TCPSocket != nil:
				found = append(found, probe.TCPSocket.Port.String())
			}
		}
		return found
	}
	for example, want := range map[string][]string{
		"minimal.yaml": {"http/-/healthy", "http/-/ready"},
		"full.yaml":    {"http", "http"},
	} {
		if got := paths(example); !slices.Equal(got, want) {
			t.Errorf("%s: the probes ask %q, want %q", example, got, want)
		}
	}
}
