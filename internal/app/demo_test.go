package app

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/logging"
)

// The demo shows every result that an HMP can cause. The first scrape has them all, unless the machine is busy. Its page
// lives without a scrape.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, "demo")
	exportertest.WaitFor(t, "the page to show all sessions", func() bool {
		_, page := p.Get(t, "/")
		return strings.Contains(page, "of 31 sessions</a> are not valid") && strings.Contains(page, "on 10 targets") &&
			!strings.Contains(page, "not probed yet")
	})
	missing := []string{
		"valid", "no_roles", "unauthorized", "internal_error", "auth_unavailable", "endpoint_missing", "redirect", "http_error",
		"bad_payload", "timeout", "dns", "connect", "tls", "protocol", "login_rejected", "credentials",
	}
	for deadline := time.Now().Add(2 * exportertest.Timeout); len(missing) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("no session ever had the results %v", missing)
		}
		_, body := p.Get(t, "/metrics")
		missing = slices.DeleteFunc(missing, func(result string) bool {
			return regexp.MustCompile(`(?m)^hmp_session_probe_result\{result="` + result + `",.*\} 1$`).MatchString(body)
		})
	}
	stop(t, p)
	for _, want := range []string{"31 sessions on 10 targets", "Open " + p.URL + "/", "studio/newsroom"} {
		if !strings.Contains(p.Log.String(), want) {
			t.Errorf("it did not print %q:\n%s", want, p.Log)
		}
	}
}

// What the demo cannot do while it runs is in the log: the standard logger is discarded.
func TestDemoLogsWhatFails(t *testing.T) {
	dir := t.TempDir()
	lines, log := io.Pipe()
	logger, _, flush := logging.New(log, "logfmt", "info")
	demo, err := startSimulation(dir, logger, 600) // it writes the first secret after half a second
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(lines).ReadString('\n')
	if want := "failed to write the new secret of arena/tickets"; err != nil || !strings.Contains(line, want) {
		t.Errorf("got %q, error %v, want %s", line, err, want)
	}
	demo.Close()
	lines.Close()
	flush()
}

// TestDemoWithoutDisk is that the demo says in one line what it lacks, and leaves
// nothing behind.
func TestDemoWithoutDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	exportertest.WriteFile(t, file, "")
	empty := t.TempDir()
	for _, c := range []struct{ name, script, want string }{
		{"no such directory", "export TMPDIR=" + file + "/none", "not a directory; set TMPDIR to one that is writable"},
		{"read-only", "export TMPDIR=/proc", "set TMPDIR to one that is writable"},
		{"full", "ulimit -f 0; export TMPDIR=" + empty, "file too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := exec.Command("sh", "-c", c.script+`; exec "$@"`, "sh", "hmp_exporter", "demo", "--web.listen-address=127.0.0.1:0").CombinedOutput()
			if err == nil {
				t.Error("it succeeded")
			}
			text := string(out)
			if !strings.HasPrefix(text, "hmp_exporter: ") || strings.Count(text, "\n") != 1 || !strings.Contains(text, c.want) {
				t.Errorf("got %q, want one line with %q", text, c.want)
			}
		})
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) != 0 {
		t.Errorf("there is %v left, %v", left, err)
	}
}
