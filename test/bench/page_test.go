package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/internal/exportertest"
)

var (
	page   = flag.String("page", "../../docs/performance.md", "the document with the tables")
	update = flag.String("update", "", "write what this `file` of benchmark output says into the document")
)

// TestFiguresAreRecent fails if many commits have changed the measured packages since docs/performance.md
// was measured.
func TestFiguresAreRecent(t *testing.T) {
	const limit = 30
	revision := regexp.MustCompile(`hmp_exporter.* revision: ([0-9a-f]{40})\)`).FindStringSubmatch(read(t, *page))
	if revision == nil {
		t.Fatal("the page does not say which revision was measured")
	}
	git := exec.Command("git", "rev-list", "--count", revision[1]+"..HEAD", "--",
		"../../collector", "../../config", "../../internal/hmp", "../../internal/token", "../../internal/web")
	output, err := git.Output()
	if err != nil {
		t.Skipf("a shallow clone or an archive does not have the commit that was measured: %v", err)
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	if count > limit {
		t.Errorf("%d commits have changed what docs/performance.md measures, want %d at most: make bench-peers", count, limit)
	}
}

// ratioGoals are the most that hmp_exporter may need, as a multiple of what another program needs.
var ratioGoals = []struct {
	what, benchmark, metric      string
	baseline, blackbox, jsonPeer float64 // 0: no goal
}{
	{"CPU time, `/probe`, http, new connections", "Probe/transport=http/connections=new/scrapers=16", "cpu-ns/op", 1.5, 0.4, 1},
	{"CPU time, `/probe`, http, kept connections", "Probe/transport=http/connections=kept/scrapers=16", "cpu-ns/op", 1.5, 0.2, 0},
	{"CPU time, `/probe`, TLS, new connections", "Probe/transport=TLS/connections=new/scrapers=16", "cpu-ns/op", 1.15, 0.65, 1},
	{"CPU time, `/probe`, TLS, kept connections", "Probe/transport=TLS/connections=kept/scrapers=16", "cpu-ns/op", 1.5, 0.1, 0},
	{"time, `/probe`, http, new connections", "Probe/transport=http/connections=new/scrapers=16", "ns/op", 0, 0.5, 0},
	{"time, `/probe`, http, kept connections", "Probe/transport=http/connections=kept/scrapers=16", "ns/op", 0, 0.33, 0},
	{"time, `/probe`, TLS, new connections", "Probe/transport=TLS/connections=new/scrapers=16", "ns/op", 0, 0.77, 0},
	{"time, `/probe`, TLS, kept connections", "Probe/transport=TLS/connections=kept/scrapers=16", "ns/op", 0, 0.33, 0},
	{"CPU time, `/metrics`, http, 1,000 sessions", "Metrics/transport=http/sessions=1000", "cpu-ns/op", 1.5, 0, 0},
	{"CPU time, `/metrics`, http, 10,000 sessions", "Metrics/transport=http/sessions=10000", "cpu-ns/op", 1.3, 0, 0},
	{"CPU time, `/metrics`, TLS, 1,000 sessions", "Metrics/transport=TLS/sessions=1000", "cpu-ns/op", 1.5, 0, 0},
	{"CPU time, `/metrics`, TLS, 10,000 sessions", "Metrics/transport=TLS/sessions=10000", "cpu-ns/op", 1.3, 0, 0},
	{"CPU time, `/probe`, a body of 1 MB", "Payload/size=1MB", "cpu-ns/op", 4, 0, 0},
	{"CPU time, `/probe`, a body of 64 MB", "Payload/size=64MB", "cpu-ns/op", 4, 0, 0},
}

// limits are the most that hmp_exporter may need in any round.
var limits = []struct {
	what, benchmark, metric, unit string
	scale, limit                  float64
}{
	{"peak memory, `/metrics`, http, 10,000 sessions", "Metrics/transport=http/sessions=10000", "peak-B", "MB", 1e-6, 120},
	{"peak memory, `/metrics`, TLS, 10,000 sessions", "Metrics/transport=TLS/sessions=10000", "peak-B", "MB", 1e-6, 120},
	{"time of `/metrics`, TLS, 10,000 sessions", "Metrics/transport=TLS/sessions=10000", "ns/op", "s", 1e-9, 15},
	{"more memory for a body of 64 MB", "Payload/size=64MB", "over-idle-B", "MB", 1e-6, 4},
	{"start with 10,000 sessions, to the first scrape", "Start/sessions=10000", "ns/op", "ms", 1e-6, 500},
	{"memory after the start with one session", "Start/sessions=1", "RSS-B", "MB", 1e-6, 25},
	{"size of the program", "Start/sessions=1", "program-B", "MB", 1e-6, 20},
}

// TestPage writes the tables of the document.
func TestPage(t *testing.T) {
	if *update == "" {
		t.Skip("make bench-peers runs this test")
	}
	output := read(t, *update)
	machine := strings.Join(regexp.MustCompile(`(?m)^[a-z_]+: .*\n`).FindAllString(output, -1), "")
	text := read(t, *page)
	for name, table := range map[string]string{"goals": goals(figures(t, output)), "machine": "```text\n" + machine + "```\n"} {
		var err error
		if text, err = exportertest.InsertTable(text, name, table); err != nil {
			t.Fatal(err)
		}
	}
	place := regexp.MustCompile("(?s)(<!-- benchstat (.*?) -->\n).*?(<!-- end of benchstat -->)")
	text = place.ReplaceAllStringFunc(text, func(table string) string {
		parts := place.FindStringSubmatch(table)
		benchstat := exec.Command("../../.tools/benchstat", "-col=/program", "-ignore=/round,/gomaxprocs,.config", "-filter="+parts[2], *update)
		benchstat.Stderr = os.Stderr
		output, err := benchstat.Output()
		if err != nil {
			t.Fatal(err)
		}
		return parts[1] + "```text\n" + string(output) + "```\n" + parts[3]
	})
	if err := os.WriteFile(*page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// goals compares the figures with the goals. A goal that is missed is in bold.
func goals(values func(benchmark, program, metric string) []float64) string {
	mark := func(missed bool, format string, args ...any) string {
		if missed {
			format = "**missed:** " + format
		}
		return fmt.Sprintf(format, args...)
	}
	var table strings.Builder
	table.WriteString("| what | × the baseline | × blackbox_exporter | × json_exporter |\n| --- | --- | --- | --- |\n")
	for _, g := range ratioGoals {
		fmt.Fprintf(&table, "| %s |", g.what)
		for _, base := range []struct {
			name string
			goal float64
		}{{"baseline", g.baseline}, {"blackbox_exporter", g.blackbox}, {"json_exporter", g.jsonPeer}} {
			cell := ""
			if base.goal > 0 {
				ratio := func(program string) float64 {
					return median(values(g.benchmark, program, g.metric)) / median(values(g.benchmark, base.name, g.metric))
				}
				cell = mark(ratio("hmp_exporter") > base.goal, "%.2f of %.2f", ratio("hmp_exporter"), base.goal)
				if base.name != "baseline" {
					cell += fmt.Sprintf(" (baseline: %.2f)", ratio("baseline"))
				}
			}
			fmt.Fprintf(&table, " %s |", cell)
		}
		table.WriteString("\n")
	}
	table.WriteString("\n| what | measured | limit |\n| --- | --- | --- |\n")
	for _, l := range limits {
		most := slices.Max(values(l.benchmark, "hmp_exporter", l.metric)) * l.scale
		fmt.Fprintf(&table, "| %s | %s | %.0f %s |\n", l.what, mark(most > l.limit, "%.3g %s", most, l.unit), l.limit, l.unit)
	}
	return table.String()
}

// figures reads benchmark output. It returns a function that returns the values of all rounds.
func figures(t *testing.T, output string) func(benchmark, program, metric string) []float64 {
	all := make(map[string][]float64)
	name := regexp.MustCompile(`^Benchmark(\S+)/round=\d+/program=(\w+)`)
	for line := range strings.Lines(output) {
		match := name.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		fields := strings.Fields(line)
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			key := match[1] + match[2] + fields[i+1]
			all[key] = append(all[key], value)
		}
	}
	return func(benchmark, program, metric string) []float64 {
		values := all[benchmark+program+metric]
		if values == nil {
			t.Fatalf("%s of %s was not measured in %s", metric, program, benchmark)
		}
		return values
	}
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
