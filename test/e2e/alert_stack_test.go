package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An alertStack is the exporter, Prometheus and Alertmanager, the last two as they are shipped but for hurry and
// addresses.
type alertStack struct {
	exporter     *process
	exporterURL  string
	config       string // the exporter's
	prometheus   prometheus
	alertmanager string // its URL
	journal      *journal
}

func startAlertStack(t *testing.T, exporterConfig string) *alertStack {
	t.Helper()
	s := &alertStack{journal: newJournal(t), config: exporterConfig}
	s.startExporter(t, "127.0.0.1:0")
	s.startAlertmanager(t)
	s.startPrometheus(t)
	return s
}

func (s *alertStack) startExporter(t *testing.T, address string) {
	t.Helper()
	s.exporter = start(t, command(t, exporterBinary, "--config.file="+s.config, "--web.listen-address="+address))
	s.exporterURL = s.exporter.url(t)
}

// restartExporter starts it at the address that it had.
func (s *alertStack) restartExporter(t *testing.T) {
	t.Helper()
	s.startExporter(t, strings.TrimPrefix(s.exporterURL, "http://"))
}

func (s *alertStack) startAlertmanager(t *testing.T) {
	t.Helper()
	config := override(t, alertmanagerConfig, t.TempDir(), func(config map[string]any) {
		for _, receiver := range config["receivers"].([]any) {
			receiver := receiver.(map[string]any)
			receiver["webhook_configs"] = []any{map[string]any{"url": s.journal.url, "send_resolved": true}}
		}
	})
	p := start(t, command(t, tool("alertmanager"),
		"--config.file="+config,
		"--storage.path="+t.TempDir(),
		"--cluster.listen-address=",
		"--web.listen-address=127.0.0.1:0"))
	s.alertmanager = p.url(t)
}

// startPrometheus scrapes at the longest interval that the rules are for.
func (s *alertStack) startPrometheus(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules")
	if err := os.Mkdir(rules, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range ruleFiles(t) {
		override(t, file, rules, func(map[string]any) {})
	}
	addresses := strings.NewReplacer(
		"exporter:10042", strings.TrimPrefix(s.exporterURL, "http://"),
		"alertmanager:9093", strings.TrimPrefix(s.alertmanager, "http://"),
		"localhost:9090", strings.TrimPrefix(s.alertmanager, "http://"), // its own is not known yet
		"/etc/prometheus/rules", rules)
	config := override(t, "../../deploy/prometheus/prometheus.yml", dir, func(config map[string]any) {
		config["global"].(map[string]any)["scrape_interval"] = "4s"
		for _, job := range config["scrape_configs"].([]any) {
			job.(map[string]any)["scrape_timeout"] = "4s"
		}
	})
	if err := os.WriteFile(config, []byte(addresses.Replace(string(read(t, config)))), 0o600); err != nil {
		t.Fatal(err)
	}
	s.prometheus = servePrometheus(t, config)
}

// A heldAlert is one that Alertmanager has.
type heldAlert struct {
	Labels map[string]string
	Status struct {
		State       string
		InhibitedBy []string
	}
}

func (s *alertStack) heldAlerts(t *testing.T) (alerts []heldAlert) {
	t.Helper()
	body := get(t, s.alertmanager+"/api/v2/alerts", nil).body
	if err := json.Unmarshal(body, &alerts); err != nil {
		t.Fatalf("Alertmanager's answer is not JSON: %v\n%s", err, body)
	}
	return alerts
}

// suppressed checks that Alertmanager has an alert and does not tell of it, because of another one.
func (s *alertStack) suppressed(t *testing.T, alert, target string) error {
	t.Helper()
	for _, a := range s.heldAlerts(t) {
		if a.Labels["alertname"] == alert && a.Labels["target"] == target {
			if a.Status.State != "suppressed" || len(a.Status.InhibitedBy) == 0 {
				return fmt.Errorf("%s of %s is %s", alert, target, a.Status.State)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no %s of %s", alert, target)
}
