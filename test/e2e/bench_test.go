package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestBenchmark runs each benchmark once with a few sessions, and writes its figures into a copy of the document.
func TestBenchmark(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the CPU time and the memory of a process are measured on Linux only")
	}
	for _, name := range []string{"blackbox_exporter", "json_exporter", "benchstat"} {
		need(t, tool(name))
	}
	dir := t.TempDir()
	page, figures := filepath.Join(dir, "performance.md"), filepath.Join(dir, "bench.out")
	document := read(t, "../../docs/performance.md")
	if err := os.WriteFile(page, document, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"-run=^$ -bench=. -benchtime=1x ./bench -rounds=1 -max-sessions=20",
		"-run=^TestPage$ ./bench -update=" + figures + " -page=" + page,
	} {
		cmd := command(t, "go", append([]string{"test", "-C", ".."}, strings.Fields(args)...)...)
		output, err := cmd.CombinedOutput()
		noCanary(t, "the output of the benchmark", string(output))
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, output)
		}
		if err := os.WriteFile(figures, output, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written := string(read(t, page))
	noCanary(t, "the document", written)
	for _, row := range []string{
		"Probe/transport=TLS/connections=kept/scrapers=16", "Metrics/transport=TLS/sessions=10000",
		"Payload/size=64MB", "Start/sessions=10000",
	} {
		if !strings.Contains(written, "\n"+row+" ") {
			t.Errorf("the document has no row %s:\n%s", row, written)
		}
	}
}
