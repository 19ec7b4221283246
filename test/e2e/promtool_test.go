package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestExposition has promtool lint what both paths answer, and sees that OpenMetrics is spoken to those who ask for it.
func TestExposition(t *testing.T) {
	t.Parallel()
	exporter := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0"))
	url := exporter.url(t)
	targets, _ := inventory(t, url)

	paths := []string{"/metrics"}
	for _, target := range targets {
		paths = append(paths, "/probe?target="+target)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			check := command(t, tool("promtool"), "check", "metrics", "--extended")
			check.Stdin = bytes.NewReader(get(t, url+path, nil).body)
			if output, err := check.CombinedOutput(); err != nil {
				t.Errorf("promtool check metrics: %v\n%s", err, output)
			}

			accept := http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}}
			res := get(t, url+path, accept)
			if got, want := res.header.Get("Content-Type"), "application/openmetrics-text; version=1.0.0"; !strings.HasPrefix(got, want) {
				t.Errorf("Content-Type %q, want %q", got, want)
			}
			if !bytes.HasSuffix(res.body, []byte("# EOF\n")) {
				t.Error("the OpenMetrics exposition does not end in # EOF")
			}
		})
	}
	exporter.stop(t)
}

var yamlBlock = regexp.MustCompile("(?s)```ya?ml\n(.*?\n)```")

// TestPrometheusConfigs has promtool read the Prometheus configurations in the README, in the pages beside it and in
// deploy/. Files that they name are on the reader's machine, not here; hence --syntax-only.
func TestPrometheusConfigs(t *testing.T) {
	configs := map[string]string{shardedConfig: string(read(t, shardedConfig))}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		for i, block := range yamlBlock.FindAllStringSubmatch(string(read(t, page)), -1) {
			if strings.Contains(block[1], "scrape_configs:") {
				configs[fmt.Sprintf("%s %d", filepath.Base(page), i)] = block[1]
			}
		}
	}
	if len(configs) < 5 {
		t.Errorf("found only %d configurations", len(configs))
	}
	for name, text := range configs {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "prometheus.yml")
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			check := command(t, tool("promtool"), "check", "config", "--syntax-only", config)
			if output, err := check.CombinedOutput(); err != nil {
				t.Errorf("promtool check config: %v\n%s\n%s", err, output, text)
			}
		})
	}
}
