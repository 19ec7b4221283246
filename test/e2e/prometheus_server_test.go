package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Both ways to scrape the exporter, as a user would set them up: everything in one scrape, and a scrape per target.
// /probe is asked for OpenMetrics, which the native histogram on /metrics, being protobuf, does not exercise.
const prometheusConfig = `
global:
  scrape_interval: 2s
  scrape_timeout: 2s
  scrape_native_histograms: true
scrape_configs:
  - job_name: metrics
    static_configs:
      - targets: [%[1]s]
  - job_name: probe
    metrics_path: /probe
    scrape_native_histograms: false
    scrape_protocols: [OpenMetricsText1.0.0]
    static_configs:
      - targets: [%[2]s]
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__address__]
        target_label: instance
      - target_label: __address__
        replacement: %[1]s
`

// A prometheus is a real server that scrapes the exporter.
type prometheus struct {
	*process
	config string // its file
	api    string // the beginning of all of its URLs
}

func startPrometheus(t *testing.T, exporter string, targets []string) prometheus {
	t.Helper()
	address := strings.TrimPrefix(exporter, "http://")
	return runPrometheus(t, fmt.Sprintf(prometheusConfig, address, strings.Join(targets, ", ")))
}

// runPrometheus starts a server with a configuration.
func runPrometheus(t *testing.T, text string) prometheus {
	t.Helper()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return servePrometheus(t, config)
}

// servePrometheus starts a server with a configuration file.
func servePrometheus(t *testing.T, config string) prometheus {
	t.Helper()
	p := start(t, command(t, tool("prometheus"),
		"--config.file="+config,
		"--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0"))
	return prometheus{process: p, config: config, api: p.url(t) + "/api/v1"}
}

// A sample is one element of an instant vector.
type sample struct {
	Labels map[string]string `json:"metric"`
	Point  [2]any            `json:"value"` // time, value as text
}

func (s sample) value(t *testing.T) float64 {
	t.Helper()
	text, _ := s.Point[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("sample %v: %v", s.Labels, err)
	}
	return v
}

// query evaluates an expression now.
func (p prometheus) query(t *testing.T, expression string) []sample {
	t.Helper()
	var answer struct {
		Data struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	body := get(t, p.api+"/query?query="+url.QueryEscape(expression), nil).body
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("query %s: %v\n%s", expression, err, body)
	}
	return answer.Data.Result
}

// tool is the path of a program that the Makefile builds from the modules below tools/.
func tool(name string) string {
	return filepath.Join("../..", ".tools", name)
}
