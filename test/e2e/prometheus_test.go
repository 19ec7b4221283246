package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
)

var yamlBlock = regexp.MustCompile("(?s)```ya?ml\n(.*?\n)```")

// A scrapeJob is a scrape configuration.
type scrapeJob map[string]any

// documentedJob returns the n-th scrape configuration in a document. It gets another name and
// the intervals of the server; the exporter has another address.
func documentedJob(t *testing.T, document string, n int, name, exporter string) scrapeJob {
	t.Helper()
	var jobs []scrapeJob
	for _, block := range yamlBlock.FindAllStringSubmatch(read(t, document), -1) {
		var config struct {
			Jobs []scrapeJob `yaml:"scrape_configs"`
		}
		text := strings.ReplaceAll(block[1], "localhost:10042", exporter)
		if strings.Contains(text, "scrape_configs:") && yaml.Unmarshal([]byte(text), &config) == nil {
			jobs = append(jobs, config.Jobs...)
		}
	}
	if n >= len(jobs) {
		t.Fatalf("%s has only %d scrape configurations", document, len(jobs))
	}
	job := jobs[n]
	delete(job, "scrape_interval")
	delete(job, "scrape_timeout")
	job["job_name"] = name
	return job
}

// The jobs of the demo's Prometheus. Each sees all sessions, except jobList.
const (
	jobMetrics  = "hmp-demo"
	jobProbe    = "hmp.probe"
	jobList     = "hmp.list"
	jobSessions = "hmp.sessions"
	jobLabelled = "hmp.labelled"
)

// startDemoPrometheus starts a Prometheus that scrapes the demo in all ways that the
// documents describe. It has the configuration of docs/first-alert.md, but shorter times.
func startDemoPrometheus(t *testing.T, demo *process) prometheus {
	t.Helper()
	address := demo.address()
	const readme, scaling, firstAlert = "../../README.md", "../../docs/scaling.md", "../../docs/first-alert.md"
	metrics := documentedJob(t, firstAlert, 0, jobMetrics, address)
	metrics["always_scrape_classic_histograms"] = true
	probe := documentedJob(t, readme, 2, jobProbe, address)
	probe["scrape_protocols"] = []string{"OpenMetricsText1.0.0"}
	probe["scrape_native_histograms"] = false
	list := documentedJob(t, scaling, 0, jobList, address)
	list["static_configs"] = []any{map[string]any{"targets": []string{"studio", "arena"}}}
	labelled := documentedJob(t, readme, 0, jobLabelled, address)
	labelled["static_configs"] = []any{map[string]any{
		"targets": []string{address}, "labels": map[string]string{"target": "all", "session": "every", "team": "video"},
	}}

	block := yamlBlock.FindStringSubmatch(read(t, firstAlert))
	var config map[string]any
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(block[1], "localhost:9093", "127.0.0.1:1")), &config); err != nil {
		t.Fatal(err)
	}
	config["global"] = map[string]any{
		"scrape_interval": "4s", "scrape_timeout": "4s", "evaluation_interval": "2s", "scrape_native_histograms": true,
	}
	config["rule_files"] = []string{spedUpRules(t) + "/*.yml"}
	config["scrape_configs"] = []scrapeJob{metrics, probe, list, documentedJob(t, scaling, 1, jobSessions, address), labelled}
	return startPrometheus(t, toYAML(t, config))
}

// TestPrometheus runs a real Prometheus that scrapes the demo. The demo has every kind of
// failure at once, also an HMP that never answers.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	demo := startExporter(t, "demo", "--timeout-offset=2s") // leaves a busy machine time for the answer
	targets, sessions := configuredSessions(t, demo.URL)
	t.Run("exposition", func(t *testing.T) { checkExposition(t, demo.URL, targets) })

	server := startDemoPrometheus(t, demo)
	server.waitForScrapes(t, 1+len(targets)+2+len(sessions)+1)
	t.Run("no scrape fails", func(t *testing.T) { server.expectNone(t, `min_over_time(up[10m]) != 1`) })
	for _, job := range []string{jobMetrics, jobProbe, jobSessions, jobLabelled} {
		t.Run("sessions of job "+job, func(t *testing.T) {
			got := server.sessions(t, fmt.Sprintf(`hmp_session_valid{job=%q}`, job))
			if diff := cmp.Diff(sessions, got); diff != "" {
				t.Errorf("sessions (-configured +scraped):\n%s", diff)
			}
			server.checkResults(t, job)
		})
	}
	t.Run("instances", func(t *testing.T) {
		for job, want := range map[string][]string{jobProbe: targets, jobList: {"arena", "studio"}, jobSessions: sessions} {
			if diff := cmp.Diff(want, server.labels(t, fmt.Sprintf(`up{job=%q}`, job), "instance")); diff != "" {
				t.Errorf("instances of job %s (-want +got):\n%s", job, diff)
			}
		}
		server.expectNone(t, `label_replace(hmp_session_valid{job=~"hmp.(probe|list|sessions)"}, "target", "$1", "instance", "([^/]*).*") unless hmp_session_valid`)
	})
	t.Run("labels of the user", func(t *testing.T) {
		got := server.labels(t, `hmp_session_valid{team="video", session!="every"}`, "target")
		if diff := cmp.Diff(targets, got); diff != "" {
			t.Errorf("targets (-want +got):\n%s", diff)
		}
		server.expectNone(t, `{__name__=~"hmp_session.+", exported_target!=""}`)
	})
	t.Run("one result for each session", func(t *testing.T) {
		server.expectNone(t, `sum by (job, target, session, instance) (hmp_session_probe_result) != 1`)
		server.expectNone(t, `hmp_session_valid != ignoring (result) hmp_session_probe_result{result="valid"}`)
	})
	t.Run("native histogram", func(t *testing.T) {
		if len(server.query(t, `histogram_count(hmp_exporter_probe_duration_seconds) > 0`)) == 0 {
			t.Error("there is no native histogram")
		}
	})
	t.Run("first alert", func(t *testing.T) {
		exportertest.WaitFor(t, "an alert about a session", func() bool {
			return len(server.query(t, `ALERTS{alertstate="firing", job="hmp-demo", target!="", session!="", severity!=""}`)) > 0
		})
	})
	t.Run("documented queries", func(t *testing.T) { server.checkDocumentedQueries(t) })
	t.Run("dashboards", func(t *testing.T) { server.checkDashboardsOfDemo(t, demo) })

	server.stop(t)
	demo.stop(t)
}

// checkResults checks that each result except saturated occurs. The demo has no load.
func (p prometheus) checkResults(t *testing.T, job string) {
	t.Helper()
	var want []string
	for _, r := range hmp.Results {
		if r.Result != hmp.Saturated {
			want = append(want, string(r.Result))
		}
	}
	slices.Sort(want)
	got := p.labels(t, fmt.Sprintf(`hmp_session_probe_result{job=%q} == 1`, job), "result")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// checkExposition has promtool lint /metrics and /probe.
func checkExposition(t *testing.T, exporter string, targets []string) {
	t.Helper()
	paths := []string{"/metrics"}
	for _, target := range targets {
		paths = append(paths, "/probe?target="+target)
	}
	for _, path := range paths {
		check := command(t, tool("promtool"), "check", "metrics", "--extended")
		check.Stdin = strings.NewReader(get(t, exporter+path))
		output(t, check)
	}
}

// configuredSessions returns the targets and the "target/session" names in /config, sorted.
func configuredSessions(t *testing.T, exporter string) (targets, sessions []string) {
	t.Helper()
	var config struct {
		Targets []struct {
			Name     string
			Sessions []struct{ Name string }
		}
	}
	body := get(t, exporter+"/config")
	if err := yaml.Unmarshal([]byte(body), &config); err != nil || len(config.Targets) == 0 {
		t.Fatalf("/config has no targets: %v\n%s", err, body)
	}
	for _, target := range config.Targets {
		targets = append(targets, target.Name)
		for _, session := range target.Sessions {
			sessions = append(sessions, target.Name+"/"+session.Name)
		}
	}
	slices.Sort(targets)
	slices.Sort(sessions)
	return targets, sessions
}
