package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var minutesOfRule = regexp.MustCompile(`(?m)^( *(?:for|keep_firing_for): )\S+$`)

// TestFirstAlert does what docs/first-alert.md says, up to the alert that fires in Prometheus. The rules do not wait for
// minutes here.
func TestFirstAlert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := filepath.Glob("../dashboards/alerts/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no rules: %v", err)
	}
	for _, file := range files {
		rules := minutesOfRule.ReplaceAll(read(t, file), []byte("${1}1s"))
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), rules, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	demo := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0")).url(t)

	block := yamlBlock.FindStringSubmatch(string(read(t, "../docs/first-alert.md")))
	if block == nil {
		t.Fatal("the page has no configuration")
	}
	server := runPrometheus(t, quickly(t, block[1],
		"evaluation_interval: 30s", "evaluation_interval: 1s",
		"localhost:10042", strings.TrimPrefix(demo, "http://"),
		"localhost:9093", "127.0.0.1:1",
		"dashboards/alerts/*.yml", dir+"/*.yml"))
	eventually(t, "an alert fires", func() error {
		for _, alert := range server.query(t, `ALERTS{alertstate="firing"}`) {
			if alert.Labels["target"] != "" && alert.Labels["session"] != "" && alert.Labels["severity"] != "" {
				return nil
			}
		}
		return errors.New("none does")
	})
	server.expectNone(t, `up == 0`)
}
