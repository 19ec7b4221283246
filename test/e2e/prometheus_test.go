package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// A prometheus is a Prometheus server.
type prometheus struct {
	*process
	config string // the path of its configuration
	api    string // the beginning of the URLs of its API
}

// startPrometheus starts a server with a configuration.
func startPrometheus(t *testing.T, config string) prometheus {
	t.Helper()
	file := write(t, t.TempDir(), "prometheus.yml", config)
	p := start(t, command(t, tool("prometheus"),
		"--config.file="+file,
		"--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0"))
	return prometheus{process: p, config: file, api: p.url(t) + "/api/v1"}
}

// A sample is an element of an instant vector.
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
		Data struct{ Result []sample }
	}
	getJSON(t, p.api+"/query?query="+url.QueryEscape(expression), &answer)
	return answer.Data.Result
}

// expectNone checks that an expression returns nothing.
func (p prometheus) expectNone(t *testing.T, expression string) {
	t.Helper()
	for _, s := range p.query(t, expression) {
		t.Errorf("%s: found %v = %g", expression, s.Labels, s.value(t))
	}
}

// labels returns the values of a label in a vector, sorted.
func (p prometheus) labels(t *testing.T, expression, label string) []string {
	t.Helper()
	values := make(map[string]bool)
	for _, s := range p.query(t, expression) {
		values[s.Labels[label]] = true
	}
	return slices.Sorted(maps.Keys(values))
}

// sessions returns the "target/session" names in a vector, sorted.
func (p prometheus) sessions(t *testing.T, expression string) (names []string) {
	t.Helper()
	for _, s := range p.query(t, expression) {
		names = append(names, s.Labels["target"]+"/"+s.Labels["session"])
	}
	slices.Sort(names)
	return names
}

// waitForScrapes waits until every target of a server has been scraped three times.
func (p prometheus) waitForScrapes(t *testing.T, targets int) {
	t.Helper()
	exportertest.Eventually(t, "every target to be scraped three times", func() error {
		if n := len(p.query(t, `count_over_time(up[10m]) >= 3`)); n != targets {
			return fmt.Errorf("%d of %d have been", n, targets)
		}
		return nil
	})
}

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
func startDemoPrometheus(t *testing.T, demo string) prometheus {
	t.Helper()
	address := strings.TrimPrefix(demo, "http://")
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
	exporter, demo := startExporter(t, "demo", "--timeout-offset=2s") // leaves a busy machine time for the answer
	targets, sessions := configuredSessions(t, demo)
	t.Run("exposition", func(t *testing.T) { checkExposition(t, demo, targets) })

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
	exporter.stop(t)
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

// checkExposition has promtool lint /metrics and /probe, and asks for OpenMetrics.
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

		res, err := fetch(t, exporter+path, http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}})
		if err != nil {
			t.Fatal(err)
		}
		kind := res.header.Get("Content-Type")
		if !strings.HasPrefix(kind, "application/openmetrics-text; version=1.0.0") || !bytes.HasSuffix(res.body, []byte("# EOF\n")) {
			t.Errorf("%s: Content-Type %q and %d bytes are not OpenMetrics", path, kind, len(res.body))
		}
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

const shardedConfig = "../../deploy/prometheus/sharded.yml"

// TestSharding runs Prometheus with the shipped configuration and two replicas of the exporter.
// One of them probes each session and logs in. If it stops, this affects only its own HMPs.
func TestSharding(t *testing.T) {
	t.Parallel()
	hmps := startHMPs(t)
	replica0, url0 := hmps.startReplica(t)
	replica1, url1 := hmps.startReplica(t)
	first, second := strings.TrimPrefix(url0, "http://"), strings.TrimPrefix(url1, "http://")
	text := strings.NewReplacer("exporter-0:10042", first, "exporter-1:10042", second,
		"scrape_interval: 30s", "scrape_interval: 4s", "scrape_timeout: 15s", "scrape_timeout: 4s").Replace(read(t, shardedConfig))
	server := startPrometheus(t, text)
	server.waitForScrapes(t, len(hmps)+2)

	replicas := server.replicas(t)
	if got, want := slices.Sorted(maps.Keys(replicas)), slices.Sorted(maps.Keys(hmps)); !slices.Equal(got, want) {
		t.Errorf("the targets are %v, want %v", got, want)
	}
	if n := len(slices.Compact(slices.Sorted(maps.Values(replicas)))); n != 2 {
		t.Fatalf("%d replicas probe, want 2: %v", n, replicas)
	}
	server.expectNone(t, `count by (target, session) (hmp_session_valid) != 1`)
	server.expectNone(t, `hmp_session_valid != 1`)
	server.expectNone(t, `label_replace(hmp_session_valid, "target", "$1", "instance", "(.*)") unless hmp_session_valid`)
	hmps.checkLogins(t, "", func(string) int { return 1 })

	t.Run("a replica stops", func(t *testing.T) {
		replica1.stop(t)
		want := make(map[string]float64)
		for name, replica := range replicas {
			want[name] = 1
			if replica == second {
				want[name] = 0
			}
		}
		exportertest.Eventually(t, "the scrapes of its HMPs, and no others, to fail", func() error {
			up := make(map[string]float64)
			for _, s := range server.query(t, `up{job="hmp"}`) {
				up[s.Labels["instance"]] = s.value(t)
			}
			if diff := cmp.Diff(want, up); diff != "" {
				return fmt.Errorf("up (-want +got):\n%s", diff)
			}
			return nil
		})
		hmps.checkLogins(t, "after a replica stopped", func(string) int { return 1 })
	})
	t.Run("the other replica takes over", func(t *testing.T) {
		text := strings.NewReplacer("modulus: 2", "modulus: 1", second, first).Replace(text)
		if err := errors.Join(os.WriteFile(server.config, []byte(text), 0o600), syscall.Kill(server.PID, syscall.SIGHUP)); err != nil {
			t.Fatal(err)
		}
		exportertest.Eventually(t, "it to probe every session", func() error {
			if n := len(server.query(t, `hmp_session_valid == 1`)); n != len(hmps)*len(sessionsOfEach) {
				return fmt.Errorf("%d are valid", n)
			}
			return nil
		})
		hmps.checkLogins(t, "after the other replica took over", func(hmp string) int {
			if replicas[hmp] == second {
				return 2
			}
			return 1
		})
	})
	replica0.stop(t)
}

// sessionsOfEach are the sessions of each HMP. Each has an API key.
var sessionsOfEach = []string{"playout", "archive"}

// simulatedHMPs are simulated HMPs by name.
type simulatedHMPs map[string]struct {
	*hmpsim.Server
	url string
}

func startHMPs(t *testing.T) simulatedHMPs {
	t.Helper()
	hmps := make(simulatedHMPs)
	for name := range strings.FieldsSeq("studio lab arena tower van annex") {
		sim := hmpsim.New()
		for _, session := range sessionsOfEach {
			sim.AddKey(canary.Word+"-key-"+session, canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
		}
		l, err := sim.Start(hmpsim.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		hmps[name] = struct {
			*hmpsim.Server
			url string
		}{sim, l.URL}
	}
	return hmps
}

// startReplica starts an exporter with all HMPs.
func (h simulatedHMPs) startReplica(t *testing.T) (exporter *process, address string) {
	t.Helper()
	config := "targets:\n"
	for _, name := range slices.Sorted(maps.Keys(h)) {
		config += fmt.Sprintf("  - name: %s\n    url: %s\n    sessions:\n", name, h[name].url)
		for _, session := range sessionsOfEach {
			config += fmt.Sprintf("      - {name: %s, api_key: %s-key-%[1]s, api_secret: %[2]s-secret}\n", session, canary.Word)
		}
	}
	return startExporter(t, "--config.file="+write(t, t.TempDir(), "hmp.yml", config), "--no-collector.sessions")
}

// checkLogins checks the number of logins of each key.
func (h simulatedHMPs) checkLogins(t *testing.T, when string, want func(hmp string) int) {
	t.Helper()
	for name, hmp := range h {
		for session, account := range hmp.Stats().Accounts {
			if account.POSTs != want(name) {
				t.Errorf("%s: %d logins of %s %s, want %d", name, account.POSTs, session, when, want(name))
			}
		}
		if n := len(hmp.Stats().Accounts); n != len(sessionsOfEach) {
			t.Errorf("%s: %d keys were used, want %d", name, n, len(sessionsOfEach))
		}
	}
}

// replicas returns the address that each target of the job hmp is scraped from, by instance.
func (p prometheus) replicas(t *testing.T) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			ActiveTargets []struct {
				Labels    map[string]string
				ScrapeURL string
			}
		}
	}
	getJSON(t, p.api+"/targets?state=active&scrapePool=hmp", &answer)
	replicas := make(map[string]string)
	for _, target := range answer.Data.ActiveTargets {
		instance := target.Labels["instance"]
		if other, ok := replicas[instance]; ok {
			t.Errorf("%s is scraped from %s and from %s", instance, other, target.ScrapeURL)
		}
		replicas[instance] = addressPattern.FindString(target.ScrapeURL)
	}
	return replicas
}
