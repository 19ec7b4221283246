package e2e

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// TestComposeAddresses checks that the services know each other by the names and ports that they have in the file.
func TestComposeAddresses(t *testing.T) {
	project := loadDemo(t)
	var prometheus struct {
		Global struct {
			ScrapeInterval string `yaml:"scrape_interval"`
		}
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			StaticConfigs []staticConfig `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
		Alerting struct {
			Alertmanagers []struct {
				StaticConfigs []staticConfig `yaml:"static_configs"`
			}
		}
	}
	readYAML(t, mounted(t, project, "prometheus", "/etc/prometheus/prometheus.yml"), &prometheus)
	var scraped, alertmanagers []string
	for _, config := range prometheus.ScrapeConfigs {
		scraped = append(scraped, targetsOf(config.StaticConfigs)...)
	}
	for _, config := range prometheus.Alerting.Alertmanagers {
		alertmanagers = append(alertmanagers, targetsOf(config.StaticConfigs)...)
	}
	if !slices.Contains(scraped, "exporter:10042") || !slices.Equal(alertmanagers, []string{"alertmanager:9093"}) {
		t.Errorf("Prometheus scrapes %q and alerts through %q", scraped, alertmanagers)
	}
	for _, address := range slices.Concat(scraped, alertmanagers) {
		checkAddress(t, project, "prometheus", address)
	}
	for _, pattern := range prometheus.RuleFiles {
		if dir := mounted(t, project, "prometheus", filepath.Dir(pattern)); !hasFile(t, dir, filepath.Base(pattern)) {
			t.Errorf("there are no rules %s in %s", pattern, dir)
		}
	}

	var sources struct {
		Datasources []struct {
			URL      string
			JSONData struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	readYAML(t, filepath.Join(mounted(t, project, "grafana", "/etc/grafana/provisioning"), "datasources/prometheus.yml"), &sources)
	for _, source := range sources.Datasources {
		address, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		checkAddress(t, project, "grafana", address.Host)
		if source.JSONData.TimeInterval != prometheus.Global.ScrapeInterval {
			t.Errorf("Grafana takes the scrape interval for %s, and it is %s", source.JSONData.TimeInterval, prometheus.Global.ScrapeInterval)
		}
	}
}

type staticConfig struct{ Targets []string }

func targetsOf(configs []staticConfig) (targets []string) {
	for _, config := range configs {
		targets = append(targets, config.Targets...)
	}
	return targets
}

// checkAddress checks that an address, as a service writes it, is that of a service of the file.
func checkAddress(t *testing.T, project *types.Project, from, address string) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	if host == "localhost" { // within a container, that is the service itself
		host = from
	}
	serves := func(p types.ServicePortConfig) bool { return strconv.Itoa(int(p.Target)) == port }
	if service, ok := project.Services[host]; !ok || !slices.ContainsFunc(service.Ports, serves) {
		t.Errorf("%s is to reach %s, which no service of the file is", from, address)
	}
}

// mounted returns what of this machine a service sees at a path.
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

func hasFile(t *testing.T, dir, pattern string) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, file), into); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", file, err))
	}
}
