package docs_test

import (
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

var update = flag.Bool("update", false, "write what documents say the program prints")

// The first configuration of the README is one, and check says of it what the
// README says.
func TestReadmeConfiguration(t *testing.T) {
	readme := readFile(t, "README.md")
	dir := t.TempDir()
	configuration := "targets:\n" + between(t, readme, "```yaml\ntargets:\n", "```")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), configuration)
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.key"), canary.Word+"-1\n")
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-1\n")

	got, err := inDir(dir, "check").CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, got)
	}
	exportertest.CheckTables(t, "README.md", *update, map[string]string{"check": "```console\n$ ./hmp_exporter check\n" + string(got) + "```\n"})

	// What follows goes below the url.
	ca := between(t, readme, "write `", "`")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), strings.Replace(configuration, "    sessions:\n", "    "+ca+"\n    sessions:\n", 1))
	if got, err := inDir(dir, "check").CombinedOutput(); err == nil || !strings.Contains(string(got), "tls_config.ca_file: hmp.pem: no such file") {
		t.Errorf("the ca_file is not looked for: %v\n%s", err, got)
	}
}

// One HMP needs no file: the command of the README is taken for a configuration.
func TestReadmeEnvironment(t *testing.T) {
	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.key"), canary.Word+"-1\n")
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-1\n")
	cmd := inDir(dir, "check")
	variables := strings.Fields(between(t, readFile(t, "README.md"), "```sh\nHMP_URL", " ./hmp_exporter\n"))
	variables[0] = "HMP_URL" + variables[0]
	cmd.Env = append(os.Environ(), variables...)
	got, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(got), "environment: 1 target, 1 session\n") {
		t.Errorf("%v:\n%s", err, got)
	}
}

// docs/command-line.md has what --help-long says, and docs/troubleshooting.md what check says of a secret that is missing.
func TestPrinted(t *testing.T) {
	help, err := inDir(t.TempDir(), "--help-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	exportertest.CheckTables(t, "docs/command-line.md", *update, map[string]string{"help": "```text\n" + string(help) + "```\n"})

	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), "targets:\n"+between(t, readFile(t, "README.md"), "```yaml\ntargets:\n", "```"))
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-1\n")
	output, err := inDir(dir, "check").CombinedOutput()
	if err == nil {
		t.Fatal("check does not miss a secret")
	}
	exportertest.CheckTables(t, "docs/troubleshooting.md", *update, map[string]string{"check": "```console\n$ ./hmp_exporter check\n" + string(output) + "```\n"})
}

// inDir is a command of this program, run in a directory, on a terminal of 100 columns.
func inDir(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("hmp_exporter", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "COLUMNS=100")
	return cmd
}

// Every flag of this program that these pages name is one that --help-long lists.
func TestReadmeFlags(t *testing.T) {
	readme := readFile(t, "README.md") + readFile(t, "docs/install.md") + readFile(t, "docs/command-line.md")
	help, err := exec.Command("hmp_exporter", "--help-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.ReplaceAll(string(help), "--[no-]", "--")
	flags := regexp.MustCompile("`--(?:no-)?([a-z.-]+)").FindAllStringSubmatch(readme, -1)
	if len(flags) < 5 {
		t.Fatalf("found only the flags %q", flags)
	}
	for _, f := range flags {
		if !strings.Contains(listed, "--"+f[1]) {
			t.Errorf("there is no flag --%s", f[1])
		}
	}
}

// Every path that docs/command-line.md names is answered.
func TestReadmePaths(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-S", hmpsim.Valid(hmpsim.ExampleSession()))
	file := exportertest.Configure(t, hmp, "S")
	text := readFile(t, file)
	exportertest.WriteFile(t, file, strings.Replace(text, "name: studio", "name: T", 1))
	p := startExporter(t, "--config.file="+file)
	table := between(t, readFile(t, "docs/command-line.md"), "| path | answers |\n", "\n\n")
	paths := regexp.MustCompile("`(/[^`]*)`").FindAllStringSubmatch(table, -1)
	if len(paths) < 6 {
		t.Fatalf("found only the paths %q", paths)
	}
	for _, path := range paths {
		if status, body := p.Get(t, path[1]); status != http.StatusOK {
			t.Errorf("%s: status %d: %.200s", path[1], status, body)
		}
	}
}

// A visitor reads the README in a few minutes.
func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(readFile(t, "README.md"), "\n"); lines > 150 {
		t.Errorf("the README has %d lines, want at most 150", lines)
	}
}

// TestOperatorsReadLittle bounds the words of the documents that operators read at night.
func TestOperatorsReadLittle(t *testing.T) {
	words := 0
	for _, page := range []string{"first-alert", "configuration", "credentials", "metrics", "runbook", "troubleshooting", "scaling", "upgrading"} {
		words += len(strings.Fields(readFile(t, "docs/"+page+".md")))
	}
	if words > 9000 {
		t.Errorf("the operators' documents have %d words, want at most 9000", words)
	}
	for _, section := range regexp.MustCompile(`(?m)^##+ `).Split(readFile(t, "docs/runbook.md"), -1)[1:] {
		title, _, _ := strings.Cut(section, "\n")
		if n := len(strings.Fields(section)); n > 100 {
			t.Errorf("the section %s of the runbook has %d words, want at most 100", title, n)
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
