package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// others are metrics on the dashboards that come from libraries or from Prometheus.
var others = []string{
	"ALERTS", "up", "scrape_duration_seconds", "scrape_samples_scraped", "promhttp_metric_handler_requests_total",
	"go_goroutines", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
}

// metricName matches the name of a metric in a query.
var metricName = regexp.MustCompile(`\b(?:hmp|go|process|promhttp|scrape)_[a-z_]+|\bup\b|\bALERTS\b`)

// TestMetrics checks that the dashboards show every metric of the exporter and no unknown metric.
func TestMetrics(t *testing.T) {
	shown := map[string]bool{}
	for _, d := range builtDashboards(t) {
		for _, p := range panelsOf(d) {
			for _, q := range queriesOf(t, p) {
				for _, name := range metricName.FindAllString(q.Expr, -1) {
					shown[strings.TrimSuffix(name, "_bucket")] = true
				}
			}
		}
	}
	own := map[string]bool{}
	for _, m := range collector.Metrics {
		own[m.Name] = true
		if !shown[m.Name] {
			t.Errorf("%s is on no dashboard", m.Name)
		}
	}
	for name := range shown {
		if !own[name] && !slices.Contains(others, name) {
			t.Errorf("there is no metric %s", name)
		}
	}
	for _, name := range others {
		if !shown[name] {
			t.Errorf("%s is on no dashboard", name)
		}
	}
}

// TestResults checks that every result has its own colour and a help text.
func TestResults(t *testing.T) {
	seen := map[string]hmp.Result{noResultColor: noResult}
	for _, o := range hmp.Results {
		color := colors[o.Result]
		if before, twice := seen[color]; twice || color == "" {
			t.Errorf("%s has the colour %q, which %q has too", o.Result, color, before)
		}
		seen[color] = o.Result
		if !strings.Contains(resultHelp(), "`"+string(o.Result)+"`") {
			t.Errorf("the help does not have %s", o.Result)
		}
	}
	if !strings.Contains(resultHelp(), "| "+noResult+" |") {
		t.Errorf("the help does not have %s", noResult)
	}
	if len(colors) != len(hmp.Results) {
		t.Errorf("there are %d colours for %d results", len(colors), len(hmp.Results))
	}
	if names := resultNames()[0].ValueMap.Options; len(names) != len(hmp.Results)+1 ||
		*names["1"].Text != "valid" || *names[strconv.Itoa(len(hmp.Results)+1)].Text != noResult {
		t.Errorf("the numbers of results are %v", names)
	}
}
