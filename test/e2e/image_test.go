//go:build linux

package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	image        = "localhost/hmp_exporter:test"
	goImage      = "localhost/go:host"
	certificates = "these stand for the build image's CA certificates\n"
	version      = "1.2.3-test"
	revision     = "0123456789abcdef0123456789abcdef01234567"
	created      = "2026-01-02T03:04:05Z"
)

// buildImage builds the image from the Dockerfile.
func (b buildah) buildImage(t *testing.T) {
	t.Helper()
	b.buildGoImage(t, goImage, certificates)
	args := []string{
		"build", "--format=docker", "--layers=false", "--tag=" + image,
		"--build-arg=GO_IMAGE=" + goImage,
		"--build-arg=VERSION=" + version,
		"--build-arg=REVISION=" + revision,
		"--build-arg=CREATED=" + created,
	}
	args = append(args, hostToolchain(t)...)
	b.do(t, append(args, "../..")...)
}

// testImageConfig checks what an engine reads from the image before it runs it. (--format=docker above: an OCI image has
// no place for a health check.)
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
	got := b.config(t, image)
	delete(got.Labels, "io.buildah.version") // the builder's own
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("image configuration (-want +got):\n%s", diff)
	}
}

// testImageFiles checks that the image holds these files and no others, nothing that the user could write to,
// and the same program that `make build` makes outside.
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
	if got := read(t, filepath.Join(root, "etc/ssl/certs/ca-certificates.crt")); string(got) != certificates {
		t.Errorf("the CA certificates are not the build image's: %q", got)
	}

	outside := filepath.Join(t.TempDir(), "hmp_exporter")
	build := command(t, "make", "-C", "../..", "build", "BIN="+outside,
		"VERSION="+version, "REVISION="+revision, "BUILD_DATE="+created)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, output)
	}
	if !bytes.Equal(read(t, outside), read(t, filepath.Join(root, "hmp_exporter"))) {
		t.Error("the program in the image is not, byte for byte, the one that `make build` makes")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
