//go:build linux

package bench

import (
	"debug/buildinfo"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestMain runs the tests, or the baseline if the environment has its configuration.
func TestMain(m *testing.M) {
	if config := os.Getenv(baselineVariable); config != "" {
		fmt.Fprintln(os.Stderr, runBaseline(config))
		os.Exit(1)
	}
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		printMachine()
	}
	os.Exit(m.Run())
}

// printMachine writes lines that benchstat takes as the configuration of the benchmarks.
func printMachine() {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _ := exec.Command("../../hmp_exporter", "--version").Output()
	line, _, _ := strings.Cut(string(version), "\n")
	fmt.Fprintf(os.Stdout, "cores: %d\nkernel: %shmp_exporter: %s\n", runtime.NumCPU(), kernel, strings.TrimPrefix(line, "hmp_exporter, "))
	for _, peer := range []string{blackbox, jsonExporter} {
		if info, err := buildinfo.ReadFile("../../.tools/" + peer); err == nil {
			fmt.Fprintf(os.Stdout, "%s: %s, built with %s\n", peer, info.Main.Version, info.GoVersion)
		}
	}
}
