package docs_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestHelp checks that docs/command-line.md shows what --help-long prints.
func TestHelp(t *testing.T) {
	help, err := inDir(t.TempDir(), "--help-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	exportertest.CheckTables(t, "docs/command-line.md", *update, map[string]string{"help": "```text\n" + string(help) + "```\n"})
}

// TestProbe checks that docs/command-line.md shows what probe prints, except for the times.
func TestProbe(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	hmp.SetToken(canary.Word+"-visitor", hmpsim.NoRoles())
	file := exportertest.Configure(t, hmp, "playout", "visitor", "retired")
	output, err := inDir(filepath.Dir(file), "probe", "studio").CombinedOutput()
	if err == nil {
		t.Fatalf("probe succeeds although sessions are not valid:\n%s", output)
	}
	output = regexp.MustCompile(`\d\.\d{3} s`).ReplaceAll(output, []byte("0.040 s"))
	exportertest.CheckTables(t, "docs/command-line.md", *update, map[string]string{"probe": "```console\n$ ./hmp_exporter probe studio\n" + string(output) + "```\n"})
}

// TestFlags checks that --help-long lists every flag that these pages name.
func TestFlags(t *testing.T) {
	pages := readFile(t, "README.md") + readFile(t, "docs/install.md") + readFile(t, "docs/command-line.md")
	help, err := exec.Command("hmp_exporter", "--help-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.ReplaceAll(string(help), "--[no-]", "--")
	flags := regexp.MustCompile("`--(?:no-)?([a-z.-]+)").FindAllStringSubmatch(pages, -1)
	if len(flags) < 5 {
		t.Fatalf("found only the flags %q", flags)
	}
	for _, f := range flags {
		if !strings.Contains(listed, "--"+f[1]) {
			t.Errorf("there is no flag --%s", f[1])
		}
	}
}

// TestHTTPPaths checks that the exporter answers every path that docs/command-line.md names.
func TestHTTPPaths(t *testing.T) {
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
