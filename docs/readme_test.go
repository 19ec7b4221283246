package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// writeReadmeFiles writes the first configuration of the README and its secret files.
func writeReadmeFiles(t *testing.T) (dir, configuration string) {
	t.Helper()
	dir = t.TempDir()
	configuration = "targets:\n" + between(t, readFile(t, "README.md"), "```yaml\ntargets:\n", "```")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), configuration)
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.key"), canary.Word+"-1\n")
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-1\n")
	return dir, configuration
}

func printedByCheck(output []byte) map[string]string {
	return map[string]string{"check": "```console\n$ ./hmp_exporter check\n" + string(output) + "```\n"}
}

// TestFirstConfiguration checks that the first configuration is valid, and that the README shows what check prints.
func TestFirstConfiguration(t *testing.T) {
	dir, configuration := writeReadmeFiles(t)
	got, err := inDir(dir, "check").CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, got)
	}
	exportertest.CheckTables(t, "README.md", *update, printedByCheck(got))

	ca := between(t, readFile(t, "README.md"), "write `", "`") // below the url
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), strings.Replace(configuration, "    sessions:\n", "    "+ca+"\n    sessions:\n", 1))
	if got, err := inDir(dir, "check").CombinedOutput(); err == nil || !strings.Contains(string(got), "tls_config.ca_file: hmp.pem: no such file") {
		t.Errorf("check does not open the ca_file: %v\n%s", err, got)
	}
}

// TestMissingSecret checks that docs/troubleshooting.md shows what check prints about a missing secret file.
func TestMissingSecret(t *testing.T) {
	dir, _ := writeReadmeFiles(t)
	if err := os.Remove(filepath.Join(dir, "secrets/playout.key")); err != nil {
		t.Fatal(err)
	}
	got, err := inDir(dir, "check").CombinedOutput()
	if err == nil {
		t.Fatal("check does not miss a secret")
	}
	exportertest.CheckTables(t, "docs/troubleshooting.md", *update, printedByCheck(got))
}

// TestEnvironment checks that the command of the README that needs no file is a configuration.
func TestEnvironment(t *testing.T) {
	dir, _ := writeReadmeFiles(t)
	if err := os.Remove(filepath.Join(dir, "hmp.yml")); err != nil {
		t.Fatal(err)
	}
	cmd := inDir(dir, "check")
	variables := "HMP_URL" + between(t, readFile(t, "README.md"), "```sh\nHMP_URL", " ./hmp_exporter\n")
	cmd.Env = append(cmd.Env, strings.Fields(variables)...)
	got, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(got), "environment: 1 target, 1 session\n") {
		t.Errorf("%v:\n%s", err, got)
	}
}
