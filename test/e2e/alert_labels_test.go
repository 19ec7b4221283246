package e2e

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// exporterLabels tell exporters of the same HMP apart, and nothing else. hmp-recording.yml says so, and how a user adds
// one.
var exporterLabels = strings.Fields("instance pod container endpoint service node")

var (
	labelList = regexp.MustCompile(`\b(without|ignoring) ?\(([^()]*)\)`)
	keepList  = regexp.MustCompile(`\b(by|on|group_left|group_right) ?\(`)
)

// TestRulesKeepLabels is that rules name the labels that they drop, never those that they keep, and that each list is
// all of exporterLabels and what else there is to drop, or none of them.
func TestRulesKeepLabels(t *testing.T) {
	dropped := 0
	for _, r := range shippedRules(t) {
		name := r.Alert + r.Record
		if found := keepList.FindString(r.Expr); found != "" {
			t.Errorf("%s has %s…), which drops the labels of others", name, found)
		}
		for _, list := range labelList.FindAllStringSubmatch(r.Expr, -1) {
			labels := strings.FieldsFunc(list[2], func(c rune) bool { return c == ',' || c == ' ' })
			named := slices.ContainsFunc(labels, func(label string) bool { return slices.Contains(exporterLabels, label) })
			if named && !slices.Equal(labels[:min(len(labels), len(exporterLabels))], exporterLabels) {
				t.Errorf("%s has %s, want all of %q first", name, list[0], exporterLabels)
			}
			if named {
				dropped++
			}
		}
	}
	if dropped < 12 {
		t.Errorf("only %d lists drop the labels of exporters", dropped)
	}
	if text := string(read(t, "../../dashboards/alerts/hmp-recording.yml")); !strings.Contains(text, "#     "+strings.Join(exporterLabels, ", ")+"\n") {
		t.Errorf("hmp-recording.yml does not say that rules drop %q", exporterLabels)
	}
}

// TestRulesNameJobsOnce is that there is one place to say what the exporter's jobs are called.
func TestRulesNameJobsOnce(t *testing.T) {
	var naming []string
	for _, r := range shippedRules(t) {
		if strings.Contains(r.Expr, "job=") {
			naming = append(naming, r.Alert+r.Record)
		}
	}
	if diff := cmp.Diff([]string{"HMPExporterScrapeFailing"}, naming); diff != "" {
		t.Errorf("rules that name jobs (-want +got):\n%s", diff)
	}
}

// functionsOf242 are those of Prometheus 2.42 that the rules may use, and its operators that are written like one.
var functionsOf242 = strings.Fields(`abs absent avg avg_over_time changes clamp_max clamp_min count count_over_time
	delta increase last_over_time max max_over_time min min_over_time present_over_time quantile_over_time rate resets
	sort sort_desc sum sum_over_time time timestamp topk vector
	and ignoring or unless without`)

// TestRulesOf242 is that Prometheus 2.42, the oldest that the documents name, can load the rules: they have no field and
// no function that came later.
func TestRulesOf242(t *testing.T) {
	for _, path := range ruleFiles(t) {
		var file struct {
			Groups []struct {
				Name, Interval string
				Rules          []struct {
					Alert, Record, Expr, For string
					KeepFiringFor            string `yaml:"keep_firing_for"`
					Labels, Annotations      map[string]string
				}
			}
		}
		decoder := yaml.NewDecoder(bytes.NewReader(read(t, path)))
		decoder.KnownFields(true)
		if err := decoder.Decode(&file); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	function := regexp.MustCompile(`\b([a-z_0-9]+)\s*\(`)
	for _, r := range shippedRules(t) {
		for _, found := range function.FindAllStringSubmatch(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(r.Expr, ""), -1) {
			if !slices.Contains(functionsOf242, found[1]) {
				t.Errorf("%s%s has %s(), which is not known to be one of Prometheus 2.42", r.Alert, r.Record, found[1])
			}
		}
	}
}

// TestPrometheusLoadsAllRules is that the shipped configuration names each file of rules, one a line.
func TestPrometheusLoadsAllRules(t *testing.T) {
	var config struct {
		RuleFiles []string `yaml:"rule_files"`
	}
	decode(t, "../../deploy/prometheus/prometheus.yml", &config)
	var want, got []string
	for _, file := range ruleFiles(t) {
		want = append(want, filepath.Base(file))
	}
	for _, file := range config.RuleFiles {
		got = append(got, filepath.Base(file))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of rules (-want +got):\n%s", diff)
	}
}

// TestHonorLabels is that every example of a scrape of the exporter keeps the exporter's labels.
func TestHonorLabels(t *testing.T) {
	texts := make(map[string][]byte)
	for _, file := range glob(t, "../../deploy/prometheus/*.yml") {
		texts[file] = read(t, file)
	}
	for _, page := range append(glob(t, "../../docs/*.md"), "../../README.md", "../../deploy/README.md") {
		for _, block := range yamlBlock.FindAllSubmatch(read(t, page), -1) {
			texts[page] = append(texts[page], "---\n"+string(block[1])...)
		}
	}
	jobs := make(map[string]int)
	for where, text := range texts {
		for document := range strings.SplitSeq(string(text), "---\n") {
			var config struct {
				Jobs []struct {
					Name  string `yaml:"job_name"`
					Honor bool   `yaml:"honor_labels"`
				} `yaml:"scrape_configs"`
			}
			if !strings.Contains(document, "scrape_configs:") {
				continue
			}
			if err := yaml.Unmarshal([]byte(document), &config); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			for _, job := range config.Jobs {
				if !strings.HasPrefix(job.Name, "hmp") {
					continue
				}
				if jobs[filepath.Base(where)]++; !job.Honor {
					t.Errorf("%s: job %s has no honor_labels", where, job.Name)
				}
			}
		}
	}
	want := map[string]int{"README.md": 3, "first-alert.md": 1, "scaling.md": 2, "prometheus.yml": 1, "sharded.yml": 2}
	for file, n := range want {
		if jobs[file] < n {
			t.Errorf("%s has %d scrapes of the exporter, want %d", file, jobs[file], n)
		}
	}
}

// TestOwnTargetLabel has a real Prometheus scrape as the README says, with a label target of its own in addition: the
// exporter's stay, and HMPs are told apart.
func TestOwnTargetLabel(t *testing.T) {
	t.Parallel()
	demo := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0")).url(t)
	targets, _ := inventory(t, demo)
	address := strings.TrimPrefix(demo, "http://")
	config := quickly(t, scrapeConfigs(t, "../../README.md", demo)[0], "- targets: ["+address+"]",
		"- targets: ["+address+"]\n        labels: {target: all, session: every, team: video}")
	server := runPrometheus(t, config)
	eventually(t, "there is a scrape", func() error {
		if len(server.query(t, `hmp_session_valid`)) == 0 {
			return errors.New("there is none")
		}
		return nil
	})
	got := make(map[string]bool)
	for _, s := range server.query(t, `hmp_session_valid{team="video", session!="every"}`) {
		got[s.Labels["target"]] = true
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(targets)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	server.expectNone(t, `{__name__=~"hmp_session.+", exported_target!=""}`)
}
