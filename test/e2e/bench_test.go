package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const performance = "../../docs/performance.md"

// buildBench builds the benchmark beside peers. Without these, which take a minute to build, it is not tried.
func buildBench(t *testing.T) string {
	t.Helper()
	need(t, tool("blackbox_exporter"))
	need(t, tool("json_exporter"))
	binary := filepath.Join(t.TempDir(), "bench")
	build := command(t, "go", "build", "-o", binary, "./bench")
	build.Dir = "../.."
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	return binary
}

// bench runs the benchmark with a few scrapes of each kind, where the Makefile runs it.
func bench(t *testing.T, binary string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := command(t, binary, append([]string{"-smoke"}, args...)...)
	cmd.Dir = "../.."
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	noCanary(t, "the output of the benchmark", out.String()+log.String())
	return out.String(), log.String(), err
}

// TestBench runs every section of the benchmark, and sees that nothing is missing in what it writes.
func TestBench(t *testing.T) {
	document := filepath.Join(t.TempDir(), "performance.md")
	stdout, stderr, err := bench(t, buildBench(t), "-out="+document)
	if err != nil {
		t.Fatalf("%v:\n%s", err, stderr)
	}
	written, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	noCanary(t, "the document", string(written))

	// What was measured of each subject, in rows of the tables, and how many cells of a row say what it is about.
	tables := map[string]struct{ rows, subject int }{
		"promises":    {len(promises(t, stdout)), 2},
		"machine":     {6, 1},
		"probe: http": {3 * 8, 3}, // of the bare GET, the floor, hmp_exporter with new and kept connections, and of the peers
		"probe: TLS":  {3 * 8, 3},
		"fleet":       {2 * 3, 1},
		"payload":     {3 * 4, 2},
		"spread":      {3, 1},
		"start":       {4, 1},
	}
	kept, err := os.ReadFile(performance)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range tables {
		table := placeOf(t, document, string(written), name)
		if got := strings.Count(table, "\n") - 2; got != want.rows {
			t.Errorf("the table of %s has %d rows, want %d:\n%s", name, got, want.rows, table)
		}
		if strings.Contains(table, "| – ") || strings.Contains(table, "NaN") || strings.Contains(table, "Inf") {
			t.Errorf("something in the table of %s was not measured:\n%s", name, table)
		}
		// A run of the benchmark changes nothing but the figures: heads and subjects are those in the repository.
		if diff := cmp.Diff(subjects(table, want.subject), subjects(placeOf(t, performance, string(kept), name), want.subject)); diff != "" {
			t.Errorf("%s has another table of %s; make bench-peers writes it (-want +got):\n%s", performance, name, diff)
		}
	}
	for _, version := range []string{"| blackbox_exporter | version v0.28.0, built with go1.", "| json_exporter | version v0.7.0, built with go1."} {
		if machine := placeOf(t, document, string(written), "machine"); !strings.Contains(machine, version) {
			t.Errorf("what was measured is not %q:\n%s", version, machine)
		}
	}
	if !strings.HasSuffix(stdout, placeOf(t, document, string(written), "promises")) {
		t.Errorf("the output does not end with the table of promises:\n%s", stdout)
	}
}

// promises are the rows of the last table of the output.
func promises(t *testing.T, stdout string) []string {
	t.Helper()
	_, table, ok := strings.Cut(stdout, "promises\n\n")
	if !ok {
		t.Fatalf("there are no promises:\n%s", stdout)
	}
	return strings.Split(strings.TrimSpace(table), "\n")[2:]
}

// placeOf returns the table that a text has between the two comments of that name.
func placeOf(t *testing.T, file, text, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
	table, _, ok2 := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of %s", file, name)
	}
	return table
}

// subjects are the head of a table, and of each row the first cells.
func subjects(table string, cells int) []string {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i, line := range lines[1:] {
		lines[i+1] = strings.Join(strings.Split(line, " | ")[:cells], " | ")
	}
	return lines
}

// TestBenchNotices has the simulated HMP turn a session away while a subject is measured, and a program that does not
// run: a figure must not come of it.
func TestBenchNotices(t *testing.T) {
	binary := buildBench(t)
	none, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"the bare GET refused", "bare GET answered wrongly", []string{"-only=probe", "-refuse=the bare GET"}},
		{"the floor refused", "floor answered wrongly", []string{"-only=probe", "-refuse=the floor"}},
		{"hmp_exporter refused", "hmp_exporter answered wrongly", []string{"-only=probe", "-refuse=hmp_exporter"}},
		{"blackbox_exporter refused", "blackbox_exporter answered wrongly", []string{"-only=probe", "-refuse=blackbox_exporter"}},
		{"json_exporter refused", "json_exporter answered wrongly", []string{"-only=probe", "-refuse=json_exporter"}},
		{"one session of many refused", "hmp_exporter answered wrongly", []string{"-only=fleet", "-refuse=hmp_exporter"}},
		{"a large session refused", "hmp_exporter answered wrongly", []string{"-only=payload", "-refuse=hmp_exporter"}},
		{"one of many scrapes refused", "hmp_exporter answered wrongly", []string{"-only=spread", "-refuse=hmp_exporter"}},
		{"a program that ends", "hmp_exporter does not start to answer", []string{"-only=start", "-hmp_exporter=" + none}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, err := bench(t, binary, c.args...)
			if err == nil {
				t.Error("it ended well")
			}
			if !strings.Contains(stderr, c.want) {
				t.Errorf("it says\n%s, want %q", stderr, c.want)
			}
			if stdout != "" {
				t.Errorf("it has figures:\n%s", stdout)
			}
		})
	}
}
