package e2e

import (
	"net/url"
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

	"hmp_exporter/internal/canary"
)

const (
	composeFile    = "../../deploy/compose.yaml"
	composeHMPFile = "../../deploy/compose.hmp.yaml"
)

// loadCompose reads compose files with the library of `docker compose`.
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

var (
	pinned     = regexp.MustCompile(`^[a-z]+/[a-z]+:v?\d+\.\d+\.\d+$`)
	secretName = regexp.MustCompile(`(?i)password|secret|token|key`)
)

// TestCompose checks each service: the image has a fixed version, mounted files are in the
// repository and read-only, and only this machine reaches the ports.
func TestCompose(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ports := make(map[string]string)
	for name, service := range loadDemo(t).Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("%s: image %s has no fixed version", name, service.Image)
		}
		if service.Build != nil {
			if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, mount := range service.Volumes {
			if mount.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(mount.Source); err != nil || !strings.HasPrefix(mount.Source, root+"/") || !mount.ReadOnly {
				t.Errorf("%s: %s is not in the repository or not read-only: %v", name, mount, err)
			}
		}
		if service.Privileged || !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.CapAdd) > 0 ||
			!slices.Equal(service.SecurityOpt, []string{"no-new-privileges:true"}) || !service.ReadOnly && name != "grafana" {
			t.Errorf("%s has privileges that it does not need", name)
		}
		if service.HealthCheck == nil || len(service.HealthCheck.Test) < 2 {
			t.Errorf("%s has no health check", name)
		}
		for variable, value := range service.Environment {
			if secretName.MatchString(variable) && value != nil {
				t.Errorf("%s: the file contains the secret %s", name, variable)
			}
		}
		for _, port := range service.Ports {
			ports[port.HostIP+":"+port.Published] = name + ":" + strconv.Itoa(int(port.Target))
		}
	}
	want := map[string]string{
		"127.0.0.1:10042": "exporter:10042", "127.0.0.1:9090": "prometheus:9090",
		"127.0.0.1:9093": "alertmanager:9093", "127.0.0.1:3000": "grafana:3000",
	}
	if diff := cmp.Diff(want, ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

// mounted returns the path on this machine of a path in a service.
func mounted(t *testing.T, project *types.Project, service, path string) string {
	t.Helper()
	for _, mount := range project.Services[service].Volumes {
		if mount.Type == types.VolumeTypeBind && mount.Target == path {
			return mount.Source
		}
	}
	t.Fatalf("nothing is mounted at %s of %s", path, service)
	return ""
}

// TestComposeAddresses checks that the services reach each other under the names and ports in
// the file, and that Prometheus loads all rules.
func TestComposeAddresses(t *testing.T) {
	project := loadDemo(t)
	type static []struct {
		Targets []string
	}
	var prometheus struct {
		Global struct {
			ScrapeInterval string `yaml:"scrape_interval"`
		}
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			StaticConfigs static `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
		Alerting struct {
			Alertmanagers []struct {
				StaticConfigs static `yaml:"static_configs"`
			}
		}
	}
	readYAML(t, mounted(t, project, "prometheus", "/etc/prometheus/prometheus.yml"), &prometheus)
	var sources struct {
		Datasources []struct {
			URL      string
			JSONData struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	readYAML(t, filepath.Join(mounted(t, project, "grafana", "/etc/grafana/provisioning"), "datasources/prometheus.yml"), &sources)

	addresses := map[string][]string{} // by the service that uses them
	for _, config := range prometheus.ScrapeConfigs {
		addresses["prometheus"] = append(addresses["prometheus"], config.StaticConfigs[0].Targets...)
	}
	if !slices.Contains(addresses["prometheus"], "exporter:10042") {
		t.Errorf("Prometheus scrapes %q", addresses["prometheus"])
	}
	for _, config := range prometheus.Alerting.Alertmanagers {
		addresses["prometheus"] = append(addresses["prometheus"], config.StaticConfigs[0].Targets...)
	}
	for _, source := range sources.Datasources {
		address, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		addresses["grafana"] = append(addresses["grafana"], address.Host)
		if source.JSONData.TimeInterval != prometheus.Global.ScrapeInterval {
			t.Errorf("Grafana has the scrape interval %s, Prometheus %s", source.JSONData.TimeInterval, prometheus.Global.ScrapeInterval)
		}
	}
	for from, list := range addresses {
		for _, address := range list {
			host, port, _ := strings.Cut(address, ":")
			if host == "localhost" { // the service itself
				host = from
			}
			serves := func(p types.ServicePortConfig) bool { return strconv.Itoa(int(p.Target)) == port }
			if !slices.ContainsFunc(project.Services[host].Ports, serves) {
				t.Errorf("%s uses %s, which no service serves", from, address)
			}
		}
	}
	var rules []string
	for _, pattern := range prometheus.RuleFiles {
		file := filepath.Join(mounted(t, project, "prometheus", filepath.Dir(pattern)), filepath.Base(pattern))
		rules = append(rules, glob(t, file)...)
	}
	if len(rules) != len(ruleFiles(t)) {
		t.Errorf("Prometheus loads only the rules %q", rules)
	}
}

// TestComposeDemo runs the exporter with the arguments in the file, and its health check.
func TestComposeDemo(t *testing.T) {
	service := loadDemo(t).Services["exporter"]
	exporter := startExporter(t, service.Command...)
	check := service.HealthCheck.Test
	if len(check) < 3 || check[0] != "CMD" || check[1] != "/hmp_exporter" {
		t.Fatalf("the health check is %q, want the program itself", check)
	}
	run(t, exporterBinary, append(slices.Clone(check[2:]), "--url="+exporter.URL+"/-/healthy")...)
	exporter.stop(t)
}

// TestComposeDashboards checks that Grafana loads every dashboard and opens the overview.
func TestComposeDashboards(t *testing.T) {
	project := loadDemo(t)
	var provisioning struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, filepath.Join(mounted(t, project, "grafana", "/etc/grafana/provisioning"), "dashboards/hmp.yml"), &provisioning)
	dir := provisioning.Providers[0].Options.Path
	for _, dashboard := range glob(t, "../../dashboards/*.json") {
		name := filepath.Base(dashboard)
		if source := mounted(t, project, "grafana", filepath.Join(dir, name)); filepath.Base(source) != name {
			t.Errorf("%s is %s", name, source)
		}
	}
	home := project.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	if want := filepath.Join(dir, "hmp-overview.json"); home == nil || *home != want {
		t.Errorf("Grafana does not open %s", want)
	}
}

// TestComposeOwnHMPs reads both files together. The exporter serves the user's configuration,
// and Grafana needs a password. The demo's volumes are not used: HMPSessionVanished would
// fire for the demo's sessions, and Grafana would keep the demo's password.
func TestComposeOwnHMPs(t *testing.T) {
	if _, err := loadCompose(t, nil, composeFile, composeHMPFile); err == nil || !strings.Contains(err.Error(), "GRAFANA_ADMIN_PASSWORD") {
		t.Errorf("without a password: %v, want an error with GRAFANA_ADMIN_PASSWORD", err)
	}
	dir := t.TempDir()
	own, err := loadCompose(t, []string{"GRAFANA_ADMIN_PASSWORD=" + canary.Word, "HMP_CONFIG=" + dir, "HMP_USER=1000:1000"}, composeFile, composeHMPFile)
	if err != nil {
		t.Fatal(err)
	}
	exporter := own.Services["exporter"]
	if !slices.Equal(exporter.Command, []string{"serve"}) || exporter.User != "1000:1000" || !exporter.ReadOnly {
		t.Errorf("the exporter runs %q as %q", exporter.Command, exporter.User)
	}
	if source := mounted(t, own, "exporter", "/etc/hmp_exporter"); source != dir {
		t.Errorf("the configuration is from %s, want %s", source, dir)
	}
	grafana := own.Services["grafana"].Environment
	for name, want := range map[string]string{"GF_AUTH_ANONYMOUS_ENABLED": "false", "GF_SECURITY_ADMIN_PASSWORD": canary.Word} {
		if got := grafana[name]; got == nil || *got != want {
			t.Errorf("%s is wrong", name)
		}
	}
	demo := loadDemo(t)
	if demo.Name != "hmp-demo" || own.Name != "hmp" || len(demo.Volumes) == 0 || len(own.Volumes) != len(demo.Volumes) {
		t.Errorf("the projects are %s with %d volumes and %s with %d", demo.Name, len(demo.Volumes), own.Name, len(own.Volumes))
	}
	for name, volume := range demo.Volumes {
		if volume.Name == own.Volumes[name].Name {
			t.Errorf("both projects use the volume %s", volume.Name)
		}
	}
}
