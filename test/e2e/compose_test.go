package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

const (
	composeFile    = "../../deploy/compose.yaml"
	composeHMPFile = "../../deploy/compose.hmp.yaml"
)

// loadCompose reads compose files as `docker compose` does, with its library.
func loadCompose(t *testing.T, environment []string, files ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions(files, cli.WithEnv(environment))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

func loadDemo(t *testing.T) *types.Project {
	t.Helper()
	project, err := loadCompose(t, nil, composeFile)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestCompose checks what the stack is made of: what is not in this repository is pinned, what is is there, and nothing
// is open to other machines.
func TestCompose(t *testing.T) {
	project := loadDemo(t)
	ports := make(map[string]string)
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) {
			checkImage(t, service)
			checkMounts(t, service)
			checkConfinement(t, service)
			for _, port := range service.Ports {
				ports[port.HostIP+":"+port.Published] = name + ":" + strconv.Itoa(int(port.Target))
			}
		})
	}
	want := map[string]string{
		"127.0.0.1:10042": "exporter:10042", "127.0.0.1:9090": "prometheus:9090",
		"127.0.0.1:9093": "alertmanager:9093", "127.0.0.1:3000": "grafana:3000",
	}
	if diff := cmp.Diff(want, ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

var pinned = regexp.MustCompile(`^[a-z]+/[a-z]+:v?\d+\.\d+\.\d+$`)

func checkImage(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if service.Build == nil {
		if !pinned.MatchString(service.Image) {
			t.Errorf("image %s is not one version for good", service.Image)
		}
		return
	}
	if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
		t.Errorf("the image cannot be built: %v", err)
	}
}

// checkMounts checks that what a service reads from this machine is in the repository, and that it cannot change it.
func checkMounts(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, mount := range service.Volumes {
		if mount.Type != types.VolumeTypeBind {
			continue
		}
		if _, err := os.Stat(mount.Source); err != nil {
			t.Errorf("%s has nothing to mount: %v", mount.Target, err)
		}
		if !strings.HasPrefix(mount.Source, root+"/") || !mount.ReadOnly {
			t.Errorf("%s is to be a part of the repository, mounted to be read only, not %s", mount.Target, mount)
		}
	}
}

func checkConfinement(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if service.Privileged || !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.CapAdd) > 0 ||
		!slices.Equal(service.SecurityOpt, []string{"no-new-privileges:true"}) {
		t.Error("it has privileges that it has no need for")
	}
	if !service.ReadOnly && service.Name != "grafana" {
		t.Error("its root file system can be written to")
	}
	if service.HealthCheck == nil || len(service.HealthCheck.Test) < 2 {
		t.Error("nothing tells whether it is healthy")
	}
	for name, value := range service.Environment {
		if regexp.MustCompile(`(?i)password|secret|token|key`).MatchString(name) && value != nil {
			t.Errorf("the file holds a secret, %s", name)
		}
	}
}

// TestComposeDemo runs the exporter in the file as its image does, and asks it what the health check asks.
func TestComposeDemo(t *testing.T) {
	service := loadDemo(t).Services["exporter"]
	exporter := start(t, command(t, exporterBinary, append(slices.Clone(service.Command), "--web.listen-address=127.0.0.1:0")...))
	address := exporter.url(t)
	check := service.HealthCheck.Test
	if len(check) < 3 || check[0] != "CMD" || check[1] != "/hmp_exporter" {
		t.Fatalf("the health check is %q, want the program itself", check)
	}
	args := append(slices.Clone(check[2:]), "--url="+address+"/-/healthy")
	if output, err := command(t, exporterBinary, args...).CombinedOutput(); err != nil {
		t.Errorf("%q: %v\n%s", args, err, output)
	}
	exporter.stop(t)
}

// TestComposeDashboards checks that Grafana finds every dashboard there is, and begins with the overview.
func TestComposeDashboards(t *testing.T) {
	project := loadDemo(t)
	var provisioning struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, filepath.Join(mounted(t, project, "grafana", "/etc/grafana/provisioning"), "dashboards/hmp.yml"), &provisioning)
	if len(provisioning.Providers) != 1 {
		t.Fatalf("want one provider of dashboards, got %d", len(provisioning.Providers))
	}
	dashboards, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(dashboards) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	dir := provisioning.Providers[0].Options.Path
	for _, dashboard := range dashboards {
		name := filepath.Base(dashboard)
		if source := mounted(t, project, "grafana", filepath.Join(dir, name)); filepath.Base(source) != name {
			t.Errorf("%s is %s", name, source)
		}
	}
	home := project.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	if want := filepath.Join(dir, "hmp-overview.json"); home == nil || *home != want {
		t.Errorf("Grafana does not begin with %s", want)
	}
}

// TestComposeOwnHMPs reads the two files together: what is served is a configuration of the user's own, and Grafana asks
// who one is.
func TestComposeOwnHMPs(t *testing.T) {
	if _, err := loadCompose(t, nil, composeFile, composeHMPFile); err == nil || !strings.Contains(err.Error(), "GRAFANA_ADMIN_PASSWORD") {
		t.Errorf("without a password: %v, want an error that names GRAFANA_ADMIN_PASSWORD", err)
	}
	dir := t.TempDir()
	project, err := loadCompose(t, []string{"GRAFANA_ADMIN_PASSWORD=CANARY", "HMP_CONFIG=" + dir, "HMP_USER=1000:1000"}, composeFile, composeHMPFile)
	if err != nil {
		t.Fatal(err)
	}
	exporter := project.Services["exporter"]
	if !slices.Equal(exporter.Command, []string{"serve"}) || exporter.User != "1000:1000" || !exporter.ReadOnly {
		t.Errorf("the exporter runs %q as %q", exporter.Command, exporter.User)
	}
	if source := mounted(t, project, "exporter", "/etc/hmp_exporter"); source != dir {
		t.Errorf("the configuration is from %s, want %s", source, dir)
	}
	grafana := project.Services["grafana"].Environment
	for name, want := range map[string]string{"GF_AUTH_ANONYMOUS_ENABLED": "false", "GF_SECURITY_ADMIN_PASSWORD": "CANARY"} {
		if got := grafana[name]; got == nil || *got != want {
			t.Errorf("%s is not as it has to be", name)
		}
	}
}

// TestComposeOwnVolumes is that the user's own HMPs get volumes of their own. With those of the demo, Prometheus would
// miss the demo's sessions, and Grafana would keep the password that its admin had there.
func TestComposeOwnVolumes(t *testing.T) {
	own, err := loadCompose(t, []string{"GRAFANA_ADMIN_PASSWORD=CANARY", "HMP_CONFIG=" + t.TempDir()}, composeFile, composeHMPFile)
	if err != nil {
		t.Fatal(err)
	}
	demo := loadDemo(t)
	if demo.Name != "hmp-demo" || own.Name != "hmp" {
		t.Errorf("the demo is the project %s, and one's own HMPs are %s", demo.Name, own.Name)
	}
	if len(demo.Volumes) == 0 || len(own.Volumes) != len(demo.Volumes) {
		t.Errorf("the demo has %d volumes, and one's own HMPs have %d", len(demo.Volumes), len(own.Volumes))
	}
	for name, volume := range demo.Volumes {
		if volume.Name == own.Volumes[name].Name {
			t.Errorf("both have the volume %s", volume.Name)
		}
	}
}
