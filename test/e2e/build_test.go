package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// bsdDate is the part of macOS's date that the Makefile uses: -r takes seconds, and there is no -d.
const bsdDate = `#!/bin/sh
case "$1 $2" in
"-u -r") exec /bin/date -u -d "@$3" "$4" ;;
*) echo "date: illegal option -- d" >&2; exit 1 ;;
esac
`

// TestMakeBuildDate checks that the date in the program is SOURCE_DATE_EPOCH, with the date
// command of GNU and of BSD.
func TestMakeBuildDate(t *testing.T) {
	bin := t.TempDir()
	if err := os.Chmod(write(t, bin, "date", bsdDate), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"GNU": os.Getenv("PATH"), "BSD": bin + ":" + os.Getenv("PATH")} {
		t.Run(name, func(t *testing.T) {
			build := command(t, "make", "--dry-run", "-C", "../..", "build")
			build.Env = append(os.Environ(), "PATH="+path, "SOURCE_DATE_EPOCH=1767323045")
			if text := output(t, build); !strings.Contains(text, ".BuildDate=2026-01-02T03:04:05Z'") {
				t.Errorf("the date is not SOURCE_DATE_EPOCH:\n%s", text)
			}
		})
	}
}

// TestReproducible checks that the program contains nothing of the machine and the work tree
// that built it. TestContainer and TestReleaseProgram compare two builds byte by byte.
func TestReproducible(t *testing.T) {
	settings := run(t, "go", "version", "-m", exporterBinary)
	for _, want := range []string{"-trimpath=true", "CGO_ENABLED=0"} {
		if !strings.Contains(settings, "\tbuild\t"+want+"\n") {
			t.Errorf("the program was not built with %s:\n%s", want, settings)
		}
	}
	if strings.Contains(settings, "\tvcs") {
		t.Errorf("the program contains the state of the work tree:\n%s", settings)
	}
	directory, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	paths := append(strings.Fields(run(t, "go", "env", "GOROOT", "GOPATH", "GOMODCACHE", "GOCACHE")), directory)
	if home, err := os.UserHomeDir(); err == nil && home != "/" {
		paths = append(paths, home+"/")
	}
	program := []byte(read(t, exporterBinary))
	for _, path := range paths {
		if bytes.Contains(program, []byte(path)) {
			t.Errorf("the program contains the path %s", path)
		}
	}
}

// TestBenchmark runs each benchmark once with a few sessions, and writes the results into a
// copy of docs/performance.md.
func TestBenchmark(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the CPU time and the memory of a process")
	}
	for _, name := range []string{"blackbox_exporter", "json_exporter", "benchstat"} {
		need(t, tool(name))
	}
	page := write(t, t.TempDir(), "performance.md", read(t, "../../docs/performance.md"))
	results := filepath.Join(filepath.Dir(page), "bench.out")
	for _, args := range []string{
		"-run=^$ -bench=. -benchtime=1x ./bench -rounds=1 -max-sessions=20",
		"-run=^TestPage$ ./bench -update=" + results + " -page=" + page,
	} {
		text := run(t, "go", append([]string{"test", "-C", ".."}, strings.Fields(args)...)...)
		canary.Check(t, "the output of the benchmark", text)
		write(t, filepath.Dir(results), "bench.out", text)
	}
	written := read(t, page)
	canary.Check(t, "the document", written)
	for _, row := range []string{
		"Probe/transport=TLS/connections=kept/scrapers=16", "Metrics/transport=TLS/sessions=10000",
		"Payload/size=64MB", "Start/sessions=10000",
	} {
		if !strings.Contains(written, "\n"+row+" ") {
			t.Errorf("the document has no row %s:\n%s", row, written)
		}
	}
}

// TestMemoryLimit checks the memory limit and the garbage percentage of the program. In a
// control group, as in a container, the limit is nine tenths of the group's.
func TestMemoryLimit(t *testing.T) {
	const limit, percent = "go_gc_gomemlimit_bytes", "go_gc_gogc_percent"
	for _, c := range []struct {
		name, environment string
		group             bool
		metric            string
		want              float64
	}{
		{"garbage by default", "", false, percent, 200},
		{"garbage by GOGC", "GOGC=50", false, percent, 50},
		{"limit by the control group", "", true, limit, 180 << 20},
		{"limit by GOMEMLIMIT", "GOMEMLIMIT=100MiB", true, limit, 100 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{exporterBinary, "demo", "--web.listen-address=127.0.0.1:0", "--no-collector.sessions"}
			if c.group {
				enter := []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(newMemoryGroup(t, "209715200"), "cgroup.procs")}
				args = append(enter, args...)
			}
			cmd := command(t, args[0], args[1:]...)
			cmd.Env = append(os.Environ(), c.environment)
			exporter := start(t, cmd)
			defer exporter.stop(t)
			got := -1.0
			for line := range strings.Lines(get(t, exporter.waitForURL(t)+"/metrics")) {
				_, _ = fmt.Sscanf(line, c.metric+" %g\n", &got)
			}
			if got < 0.999*c.want || got > c.want {
				t.Errorf("%s is %g, want %g", c.metric, got, c.want)
			}
		})
	}
}

// newMemoryGroup makes a control group with a memory limit, and returns its directory.
func newMemoryGroup(t *testing.T, limit string) string {
	t.Helper()
	name := fmt.Sprintf("hmp_exporter-%d", os.Getpid())
	for _, version := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, // 1
		{"/sys/fs/cgroup", "memory.max"},                   // 2
	} {
		group := filepath.Join(version.root, name)
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			if err := os.Remove(group); err != nil {
				t.Error(err)
			}
		})
		if os.WriteFile(filepath.Join(group, version.file), []byte(limit), 0o644) == nil {
			return group
		}
	}
	exportertest.LeaveOut(t, "a control group for memory needs root and a writable cgroup file system")
	return ""
}
