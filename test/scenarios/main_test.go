package scenarios

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// programPath is the name of the environment variable that has the path of the built program.
const programPath = "HMP_EXPORTER_UNDER_TEST"

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// A suite is the tests of this package, and the program that they run.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	flag.Parse()
	// These tests wait most of the time, so more of them run at once than there are processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	if os.Getenv(programPath) != "" {
		return s.m.Run()
	}
	dir, err := os.MkdirTemp("", "hmp_exporter-scenarios-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "hmp_exporter")
	// Without the race detector: the program is to be as fast as it is for users.
	build := exec.Command("go", "build", "-race=false", "-buildvcs=false", "-o", program, "hmp_exporter")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "failed to build the program: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(programPath, program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.m.Run()
}

// readSources looks at every source file of the program. The cache of go test notes
// what a test looks at, so a changed program runs these tests again.
var readSources = sync.OnceValue(func() error {
	return filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "../.." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata"):
			return fs.SkipDir
		case filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go"):
			_, err = os.Stat(path)
		}
		return err
	})
})
