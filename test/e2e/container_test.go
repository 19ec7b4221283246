//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestContainer builds the image from the Dockerfile and uses it as an engine would.
func TestContainer(t *testing.T) {
	t.Parallel()
	b := newBuildah(t)
	b.buildImage(t)

	t.Run("configuration", func(t *testing.T) { testImageConfig(t, b) })
	t.Run("files", func(t *testing.T) { testImageFiles(t, b) })
	t.Run("version", func(t *testing.T) { testVersion(t, b) })
	t.Run("check", func(t *testing.T) { testCheck(t, b) })
	t.Run("serve", func(t *testing.T) { testServe(t, b) })
	t.Run("demo", func(t *testing.T) { testDemo(t, b) })
}

func testVersion(t *testing.T, b buildah) {
	output := b.run(t, "/hmp_exporter", "--version")
	for _, want := range []string{version, revision, created} {
		if !strings.Contains(output, want) {
			t.Errorf("--version does not say %s:\n%s", want, output)
		}
	}
}

// testCheck mounts a configuration where the README says, and names no path.
func testCheck(t *testing.T, b buildah) {
	dir := t.TempDir()
	config := `targets: [{name: mounted, url: "http://127.0.0.1:1", sessions: [{name: s, token: t}]}]`
	if err := os.WriteFile(filepath.Join(dir, "hmp.yml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	output := b.run(t, "--volume="+dir+":/etc/hmp_exporter:ro", "/hmp_exporter", "check")
	if !strings.Contains(output, "mounted") {
		t.Errorf("check does not name the mounted target:\n%s", output)
	}
}

// testServe runs the daemon from the environment alone, with nowhere to write: the files belong to root.
func testServe(t *testing.T, b buildah) {
	serve := start(t, b.runCommand(t,
		"--env=HMP_URL=http://127.0.0.1:1", "--env=HMP_TOKEN=CANARY",
		"/hmp_exporter", "serve", "--web.listen-address=127.0.0.1:0"))
	url := serve.url(t)
	serve.pid = b.pidInside(t)
	expectNobody(t, serve.pid)

	get(t, url+"/-/healthy", nil)
	metrics := string(get(t, url+"/metrics", nil).body)
	if want := `hmp_session_valid{session="default",target="default"} 0`; !strings.Contains(metrics, want) {
		t.Errorf("/metrics lacks %s:\n%s", want, metrics)
	}

	healthcheck := []string{"/hmp_exporter", "healthcheck", "--url=" + url + "/-/healthy"}
	b.run(t, healthcheck...)
	serve.stop(t)
	if output, err := b.runCommand(t, healthcheck...).CombinedOutput(); err == nil {
		t.Errorf("healthcheck succeeds though nothing serves:\n%s", output)
	}
}

// testDemo runs the demo.
func testDemo(t *testing.T, b buildah) {
	demo := start(t, b.runCommand(t, "/hmp_exporter", "demo", "--web.listen-address=127.0.0.1:0"))
	url := demo.url(t)
	demo.pid = b.pidInside(t)
	expectNobody(t, demo.pid)
	inventory(t, url)
	demo.stop(t)
}

// expectNobody checks the user that a process really runs as.
func expectNobody(t *testing.T, pid int) {
	t.Helper()
	status := string(read(t, fmt.Sprintf("/proc/%d/status", pid)))
	for _, want := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("the program does not run as 65534:65534:\n%s", status)
		}
	}
}
