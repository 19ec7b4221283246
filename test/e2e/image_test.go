//go:build linux

package e2e

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

const (
	image        = "localhost/hmp_exporter:test"
	goImage      = "localhost/go:host"
	certificates = "these stand for the build image's CA certificates\n"
	version      = "1.2.3-test"
	revision     = "0123456789abcdef0123456789abcdef01234567"
	created      = "2026-01-02T03:04:05Z"
)

// TestContainer builds the image from the Dockerfile and runs it as a container engine does.
func TestContainer(t *testing.T) {
	t.Parallel()
	b := newBuildah(t)
	b.buildImage(t)

	t.Run("configuration", func(t *testing.T) { testImageConfig(t, b) })
	t.Run("files", func(t *testing.T) { testImageFiles(t, b) })
	t.Run("version", func(t *testing.T) {
		text := output(t, b.runCommand(t, "/hmp_exporter", "--version"))
		for _, want := range []string{version, revision, created} {
			if !strings.Contains(text, want) {
				t.Errorf("--version does not say %s:\n%s", want, text)
			}
		}
	})
	t.Run("check", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "hmp.yml", `targets: [{name: mounted, url: "http://127.0.0.1:1", sessions: [{name: s, token: t}]}]`)
		if text := output(t, b.runCommand(t, "--volume="+dir+":/etc/hmp_exporter:ro", "/hmp_exporter", "check")); !strings.Contains(text, "mounted") {
			t.Errorf("check does not name the mounted target:\n%s", text)
		}
	})
	t.Run("serve", func(t *testing.T) { testServe(t, b) })
	t.Run("demo", func(t *testing.T) {
		demo := b.start(t, "/hmp_exporter", "demo", "--web.listen-address=127.0.0.1:0")
		configuredSessions(t, demo.URL)
		demo.stop(t)
	})
}

// An imageConfig is what an engine reads from an image.
type imageConfig struct {
	User         string
	WorkingDir   string
	Entrypoint   []string
	Cmd          []string
	ExposedPorts map[string]struct{}
	Healthcheck  struct{ Test []string }
	Labels       map[string]string
}

// testImageConfig checks what an engine reads from the image.
func testImageConfig(t *testing.T, b buildah) {
	want := imageConfig{
		User:         "65534:65534",
		WorkingDir:   "/etc/hmp_exporter",
		Entrypoint:   []string{"/hmp_exporter"},
		Cmd:          []string{},
		ExposedPorts: map[string]struct{}{"10042/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "hmp_exporter",
			"org.opencontainers.image.description": "Prometheus exporter for the Haivision Media Platform",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     version,
			"org.opencontainers.image.revision":    revision,
			"org.opencontainers.image.created":     created,
		},
	}
	want.Healthcheck.Test = []string{"CMD", "/hmp_exporter", "healthcheck"}
	var description struct {
		Docker struct{ Config imageConfig }
	}
	text := b.do(t, "inspect", "--type=image", image)
	if err := json.Unmarshal([]byte(text), &description); err != nil {
		t.Fatalf("buildah inspect: %v\n%s", err, text)
	}
	got := description.Docker.Config
	delete(got.Labels, "io.buildah.version")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("image configuration (-want +got):\n%s", diff)
	}
}

// testImageFiles checks that the image has only these files, and the program of `make build`.
// The user may write nowhere.
func testImageFiles(t *testing.T, b buildah) {
	want := map[string]string{
		"/etc":                               "drwxr-xr-x",
		"/etc/hmp_exporter":                  "drwxr-xr-x",
		"/etc/ssl":                           "drwxr-xr-x",
		"/etc/ssl/certs":                     "drwxr-xr-x",
		"/etc/ssl/certs/ca-certificates.crt": "-rw-r--r--",
		"/hmp_exporter":                      "-rwxr-xr-x",
	}
	root := b.do(t, "mount", b.do(t, "from", image))
	got := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		got[strings.TrimPrefix(path, root)] = info.Mode().String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the image (-want +got):\n%s", diff)
	}
	if got := read(t, filepath.Join(root, "etc/ssl/certs/ca-certificates.crt")); got != certificates {
		t.Errorf("the CA certificates are not those of the build image: %q", got)
	}

	outside := filepath.Join(t.TempDir(), "hmp_exporter")
	run(t, "make", "-C", "../..", "build", "BIN="+outside, "VERSION="+version, "REVISION="+revision, "BUILD_DATE="+created)
	if read(t, outside) != read(t, filepath.Join(root, "hmp_exporter")) {
		t.Error("the program in the image differs from the one of `make build`")
	}
}

// testServe runs the exporter with a configuration from the environment.
func testServe(t *testing.T, b buildah) {
	serve := b.start(t,
		"--env=HMP_URL=http://127.0.0.1:1", "--env=HMP_TOKEN="+canary.Word,
		"/hmp_exporter", "serve", "--web.listen-address=127.0.0.1:0")
	if want, metrics := `hmp_session_valid{session="default",target="default"} 0`, get(t, serve.URL+"/metrics"); !strings.Contains(metrics, want) {
		t.Errorf("/metrics lacks %s:\n%s", want, metrics)
	}
	healthcheck := []string{"/hmp_exporter", "healthcheck", "--url=" + serve.URL + "/-/healthy"}
	output(t, b.runCommand(t, healthcheck...))
	serve.stop(t)
	if output, err := b.runCommand(t, healthcheck...).CombinedOutput(); err == nil {
		t.Errorf("the health check succeeds after the exporter stopped:\n%s", output)
	}
}
