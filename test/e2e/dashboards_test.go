package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// mostSeries is how many series panels of a kind can show: names that can be told apart in a graph, rows of a table
// that somebody may page through.
var mostSeries = map[string]int{
	"stat":           10,
	"timeseries":     20,
	"state-timeline": 10,
	"heatmap":        40, // buckets
	"table":          5000,
	"annotation":     40, // alerts there are
	"variable":       5000,
}

// dashboardConfig is both ways to scrape an exporter, at once: two jobs that see the same sessions. The classic form of
// the histogram is kept beside the native one.
const dashboardConfig = `
global:
  scrape_interval: 2s
  scrape_timeout: 2s
  evaluation_interval: 2s
  scrape_native_histograms: true
rule_files: [%[3]q]
scrape_configs:
  - job_name: hmp.all
    always_scrape_classic_histograms: true
    static_configs:
      - targets: [%[1]s]
  - job_name: hmp.each
    metrics_path: /probe
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

// TestDashboardsOfDemo has a real Prometheus evaluate every query of the dashboards after it has scraped the demo,
// where everything that they show is to be seen.
func TestDashboardsOfDemo(t *testing.T) {
	t.Parallel() // it waits for a minute, mostly
	exporter := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0"))
	exporterURL := exporter.url(t)
	targets, _ := inventory(t, exporterURL)
	address := strings.TrimPrefix(exporterURL, "http://")
	server := runPrometheus(t, fmt.Sprintf(dashboardConfig, address, strings.Join(targets, ", "), hastyRules(t)))

	// The mean of a day is made of full minutes, of which one has to pass.
	pending := boardQueries(t)
	within(t, 4*time.Minute, "all queries return something", func() error {
		var missing []error
		pending = slices.DeleteFunc(pending, func(q boardQuery) bool {
			got := server.expectSeries(t, q, nil)
			if len(got) == 0 && !seldomInDemo(q) {
				missing = append(missing, fmt.Errorf("%s returns nothing", q.where))
			}
			return len(got) > 0 || seldomInDemo(q)
		})
		return errors.Join(missing...)
	})

	for _, job := range []string{"hmp.all", "hmp.each"} {
		t.Run("upgrade in "+job, func(t *testing.T) { server.expectUpgrade(t, job) })
	}
	for name, c := range map[string]choice{
		"one": {
			"job": {"hmp.all"}, "instance": {address}, "target": {"studio"}, "session": {"playout"},
		},
		"several": {
			"job": {"hmp.all", "hmp.each"}, "instance": {address, "studio", "arena"},
			"target": {"studio", "arena"}, "session": {"playout", "scoreboard", "visitor"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range boardQueries(t) {
				for _, s := range server.expectSeries(t, q, c) {
					c.expectChosen(t, q, s)
				}
			}
		})
	}
	// What the sessions' own job does not have is not needed for what is about sessions.
	t.Run("sessions of /probe", func(t *testing.T) {
		for _, q := range boardQueries(t) {
			got := server.expectSeries(t, q, choice{"job": {"hmp.each"}})
			if len(got) == 0 && !strings.HasPrefix(q.where, "HMP Exporter") && !seldomInDemo(q) {
				t.Errorf("%s returns nothing", q.where)
			}
		}
	})
	t.Run("what does not exist", func(t *testing.T) {
		none := []string{"no.such"}
		server.expectNothing(t, choice{"job": none, "instance": none, "target": none, "session": none})
	})
	t.Run("numbers", func(t *testing.T) {
		server.expectNumbers(t, map[string]string{
			"HMP Overview, Sessions not valid, B": `count(hmp_session_valid{job="hmp.all"})`,
			"HMP Overview, HMPs not answering, B": `count(count by (target) (hmp_session_valid{job="hmp.all"}))`,
			"HMP Overview, Sessions missing, A":   `vector(0)`,
			"HMP Exporter, Scrapes, A":            `sum(1 - up)`,
			"HMP Exporter, Scrapes, B":            `count(up)`,
			"HMP Exporter, Version, A":            `vector(1)`,
			"HMP Exporter, Configuration, A":      `vector(1)`,
			"HMP Exporter, Panics, A":             `vector(0)`,
		})
	})
	server.stop(t)
	exporter.stop(t)
}

// seldomInDemo is whether a query is about what happens now and then in the demo: a step has an upgrade or has none.
func seldomInDemo(q boardQuery) bool { return strings.HasSuffix(q.where, "annotation HMP upgraded") }

// expectSeries evaluates a query, which must not fail nor return more than its panel can show.
func (p prometheus) expectSeries(t *testing.T, q boardQuery, c choice) []series {
	t.Helper()
	got, err := p.evaluate(t, q, c)
	if err != nil {
		t.Fatal(err)
	}
	most, ok := mostSeries[q.panel]
	if !ok {
		t.Errorf("%s: how many series can a panel %s show?", q.where, q.panel)
	}
	if len(got) > most {
		t.Errorf("%s returns %d series, want at most %d", q.where, len(got), most)
	}
	return got
}

// expectNothing is that nothing is shown where there is nothing, in green least of all.
func (p prometheus) expectNothing(t *testing.T, c choice) {
	t.Helper()
	for _, q := range boardQueries(t) {
		if q.panel == "variable" && !strings.Contains(q.expr, "$") {
			continue // it is what all others depend on
		}
		if strings.Contains(q.expr, "ALERTS") {
			continue // an alert may be about no session, and is shown whatever is chosen
		}
		if got := p.expectSeries(t, q, c); len(got) > 0 {
			t.Errorf("%s returns %v", q.where, got)
		}
	}
}

// expectChosen is that a query returns what was chosen only. A variable is not restricted by itself.
func (c choice) expectChosen(t *testing.T, q boardQuery, s series) {
	t.Helper()
	for label, values := range c {
		got, ok := s.Metric[label]
		if ok && label != q.label && !slices.Contains(values, got) {
			t.Errorf("%s returns %s %q, which was not chosen", q.where, label, got)
		}
	}
}

// expectNumbers compares what panels say with what Prometheus was told: each session counts once, however many jobs
// scrape it.
func (p prometheus) expectNumbers(t *testing.T, want map[string]string) {
	t.Helper()
	queries := boardQueries(t)
	for where, expr := range want {
		i := slices.IndexFunc(queries, func(q boardQuery) bool { return q.where == where })
		if i < 0 {
			t.Errorf("there is no query %s", where)
			continue
		}
		got, expected := p.expectSeries(t, queries[i], nil), p.query(t, expr)
		if len(got) != 1 || len(expected) != 1 || got[0].Value[1] != expected[0].Point[1] {
			t.Errorf("%s is %v, want %s: %v", where, got, expr, expected)
		}
	}
}

// hastyRules writes the alert rules so that what is wrong fires at once.
func hastyRules(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../../dashboards/alerts/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no alert rules: %v", err)
	}
	dir := t.TempDir()
	for _, file := range files {
		var rules struct {
			Groups []struct {
				Name  string           `yaml:"name"`
				Rules []map[string]any `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal(read(t, file), &rules); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				delete(r, "for")
				delete(r, "keep_firing_for")
				r["expr"] = strings.ReplaceAll(r["expr"].(string), "offset 10m", "offset 10s")
			}
		}
		text, err := yaml.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "*.yml")
}
