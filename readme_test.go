package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

// The first configuration of the README is one, and check says of it what the
// README says.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hmp.yml"), "targets:\n"+between(t, string(readme), "```yaml\ntargets:\n", "```"))
	write(t, filepath.Join(dir, "secrets/playout.key"), canary.Word+"\n")
	write(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"\n")

	cmd := exec.Command("hmp_exporter", "check")
	cmd.Dir = dir
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, got)
	}
	want := between(t, string(readme), "$ ./hmp_exporter check\n", "```")
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every flag of this program that the README names is one that --help lists.
func TestReadmeFlags(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.Command("hmp_exporter", "--help").Output() // which has those of the commands too
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.ReplaceAll(string(help), "--[no-]", "--")
	flags := regexp.MustCompile("`--(?:no-)?([a-z.-]+)").FindAllStringSubmatch(string(readme), -1)
	if len(flags) < 5 {
		t.Fatalf("found only the flags %q", flags)
	}
	for _, f := range flags {
		if !strings.Contains(listed, "--"+f[1]) {
			t.Errorf("there is no flag --%s", f[1])
		}
	}
}

func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin)
	found, _, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("there is nothing between %q and %q", begin, end)
	}
	return found
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
