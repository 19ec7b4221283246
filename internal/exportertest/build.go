package exportertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Suite is the tests of a package that run the program. Run builds it first, so that the
// tests and their scripts find hmp_exporter in PATH.
type Suite struct {
	Tests interface{ Run() int }
}

// Run implements the interface of [go.uber.org/goleak.VerifyTestMain].
func (s Suite) Run() int {
	dir, err := os.MkdirTemp("", "hmp_exporter-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// With the race detector, a process would take a second more to start and to end.
	build := exec.Command("go", "build", "-race=false", "-buildvcs=false", "-o", filepath.Join(dir, "hmp_exporter"), "hmp_exporter") //nolint:gosec,noctx // the directory is new, and go test ends it
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "failed to build the program: %v\n%s", err, output)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.Tests.Run()
}
