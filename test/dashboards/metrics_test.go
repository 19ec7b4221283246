package main

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// others are the metrics that dashboards show and that are not this program's own: those of its libraries, and what
// Prometheus says of scrapes and alerts.
var others = []string{
	"ALERTS", "up", "scrape_duration_seconds", "scrape_samples_scraped", "promhttp_metric_handler_requests_total",
	"go_goroutines", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
}

// metricName is anything in a query that is named as a metric is.
var metricName = regexp.MustCompile(`\b(?:hmp|go|process|promhttp|scrape)_[a-z_]+|\bup\b|\bALERTS\b`)

// Every metric that a dashboard names exists, and every metric that the exporter has is on a dashboard.
func TestMetrics(t *testing.T) {
	shown := map[string]bool{}
	for _, d := range built(t) {
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

// Every result has a colour, which no other has, and words of its own.
func TestResults(t *testing.T) {
	seen := map[string]hmp.Result{noResultColor: noResult}
	for _, o := range hmp.Results {
		color := colors[o.Result]
		if before, twice := seen[color]; twice || color == "" {
			t.Errorf("%s has the colour %q, and so has %q", o.Result, color, before)
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

// Links lead to dashboards that exist, with variables that those have.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`/d/([a-z-]+)`)
	variable := regexp.MustCompile(`var-([a-z]+)=|\$\{([a-z]+)[:}]`)
	var uids []string
	for _, d := range built(t) {
		uids = append(uids, *d.Uid)
	}
	for _, uid := range uids {
		text, err := os.ReadFile("../../dashboards/" + uid + ".json")
		if err != nil {
			t.Fatal(err)
		}
		to := map[string]bool{}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			to[l[1]] = true
			if !slices.Contains(uids, l[1]) {
				t.Errorf("%s links to %s, which does not exist", uid, l[1])
			}
		}
		for _, other := range uids {
			if other != uid && !to[other] {
				t.Errorf("%s does not link to %s", uid, other)
			}
		}
		for _, v := range variable.FindAllStringSubmatch(string(text), -1) {
			if name := v[1] + v[2]; !slices.Contains([]string{"datasource", "job", "instance", "target", "session"}, name) {
				t.Errorf("%s names a variable %s, which does not exist", uid, name)
			}
		}
	}
}
