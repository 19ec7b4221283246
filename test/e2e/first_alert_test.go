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
	files, err := filepath.Glob("../../dashboards/alerts/*.yml")
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

	block := yamlBlock.FindStringSubmatch(string(read(t, "../../docs/first-alert.md")))
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

var (
	jobName     = regexp.MustCompile(`job_name: (\S+)`)
	renamedJob  = regexp.MustCompile("rename the job from `(.+)` to `(.+)`")
	storagePath = regexp.MustCompile(`(?m)^ *(prometheus|alertmanager) .*--storage(?:\.tsdb)?\.path=(\S+)$`)
)

// TestFirstAlertLeavesNothingBehind is that the page, when it goes on to the reader's own HMPs, keeps neither the job of
// the demo nor its data: otherwise HMPSessionVanished fires for each of the demo's sessions.
func TestFirstAlertLeavesNothingBehind(t *testing.T) {
	demo, own, ok := strings.Cut(string(read(t, "../../docs/first-alert.md")), "\n## Then with your HMPs\n")
	if !ok {
		t.Fatal("the page does not go on to the reader's own HMPs")
	}
	job, renamed := jobName.FindStringSubmatch(demo), renamedJob.FindStringSubmatch(own)
	if job == nil || renamed == nil || renamed[1] != job[1] || renamed[2] != "hmp" {
		t.Errorf("the demo's job is %q, and then it is renamed: %q", job, renamed)
	}
	paths := func(text string) map[string]string {
		found := make(map[string]string)
		for _, command := range storagePath.FindAllStringSubmatch(text, -1) {
			found[command[1]] = command[2]
		}
		return found
	}
	before, after := paths(demo), paths(own)
	for _, program := range []string{"prometheus", "alertmanager"} {
		if before[program] == "" || after[program] == "" || before[program] == after[program] {
			t.Errorf("%s keeps its data in %q with the demo, and in %q after it", program, before[program], after[program])
		}
		if !strings.Contains(own, "rm -r ") || !strings.Contains(own, " "+before[program]) {
			t.Errorf("the data of %s in %s is not deleted", program, before[program])
		}
	}
}
