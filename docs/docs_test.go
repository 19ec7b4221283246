package docs_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hmp_exporter/internal/app"
	"hmp_exporter/internal/exportertest"
)

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
