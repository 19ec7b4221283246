package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hmp_exporter/internal/app"
	"hmp_exporter/internal/exportertest"
)

var update = flag.Bool("update", false, "write what documents say the program prints")

// TestMain lets tests run this program as the command hmp_exporter.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"hmp_exporter": func() { os.Exit(app.Run(os.Args[1:])) }})
}

// tests are run in the root of the repository.
type tests struct{ *testing.M }

func (t tests) Run() int {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	return t.M.Run()
}

// startExporter runs the daemon on a free port and returns when it listens.
func startExporter(t *testing.T, args ...string) *exportertest.Process {
	t.Helper()
	return exportertest.Start(t, exec.Command("hmp_exporter", append(args, "--web.listen-address=127.0.0.1:0")...))
}

// inDir returns a command of this program in a directory, on a terminal of 100 columns.
func inDir(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("hmp_exporter", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "COLUMNS=100")
	return cmd
}

// filesWith returns the files of the repository with an extension.
func filesWith(t *testing.T, extension string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == extension:
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("found only the files %q: %v", files, err)
	}
	return files
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	// The cache of test results knows a file by its name in this directory. The tests run in another.
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between returns the text after begin and before the next end.
func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin)
	found, _, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("there is nothing between %q and %q", begin, end)
	}
	return found
}
