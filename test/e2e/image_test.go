//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

const (
	image        = "localhost/hmp_exporter:test"
	goImage      = "localhost/go:host"
	certificates = "these stand for the build image's CA certificates\n"
	version      = "1.2.3-test"
	revision     = "0123456789abcdef0123456789abcdef01234567"
	created      = "2026-01-02T03:04:05Z"
)

// A buildah builds and runs images in a directory of the test, without an engine or a registry.
type buildah struct{ dir string }

func newBuildah(t *testing.T) buildah {
	t.Helper()
	if os.Geteuid() != 0 {
		exportertest.LeaveOut(t, "building an image needs root, or `buildah unshare`")
	}
	need(t, "buildah")
	b := buildah{dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(b.dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

// command returns a buildah command. The vfs driver and the chroot isolation work inside a
// container too.
func (b buildah) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, "buildah", append([]string{
		"--storage-driver=vfs",
		"--root=" + filepath.Join(b.dir, "root"),
		"--runroot=" + filepath.Join(b.dir, "run"),
	}, args...)...)
	cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "TMPDIR="+filepath.Join(b.dir, "tmp"))
	return cmd
}

// do runs a command, which must succeed, and returns its standard output.
func (b buildah) do(t *testing.T, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := b.command(t, args...)
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("buildah %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr.String())
	}
	return strings.TrimSpace(string(stdout))
}

// buildImage builds the image from the Dockerfile. In place of the official Go image it uses an
// empty one, into which it mounts this machine's Go. The certificates are only a mark.
func (b buildah) buildImage(t *testing.T) {
	t.Helper()
	context := t.TempDir()
	write(t, context, "rootfs/tmp/.keep", "")
	write(t, context, "rootfs/etc/ssl/certs/ca-certificates.crt", certificates)
	write(t, context, "Dockerfile", `FROM scratch
COPY rootfs /
ENV PATH=/goroot/bin:/usr/bin:/bin GOTOOLCHAIN=local GOPROXY=file:///modules
`)
	b.do(t, "build", "--tag="+goImage, context)

	download := command(t, "go", "mod", "download")
	download.Dir = "../.."
	output(t, download)
	goroot, modcache, _ := strings.Cut(strings.TrimSpace(run(t, "go", "env", "GOROOT", "GOMODCACHE")), "\n")
	args := []string{
		"build", "--format=docker", "--layers=false", "--tag=" + image, // an OCI image has no health check
		"--build-arg=GO_IMAGE=" + goImage,
		"--build-arg=VERSION=" + version,
		"--build-arg=REVISION=" + revision,
		"--build-arg=CREATED=" + created,
		"--volume=" + goroot + ":/goroot:ro",
		"--volume=" + filepath.Join(modcache, "cache/download") + ":/modules:ro", // a module proxy
	}
	for _, dir := range []string{"/usr", "/bin", "/lib", "/lib64"} {
		if target, err := filepath.EvalSymlinks(dir); err == nil {
			args = append(args, "--volume="+target+":"+dir+":ro")
		}
	}
	b.do(t, append(args, "../..")...)
}

// runCommand returns a command that runs the program in a new container. Options of buildah
// may come before the program.
func (b buildah) runCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := slices.Index(args, "/hmp_exporter")
	container := b.do(t, "from", image)
	return b.command(t, slices.Insert(append([]string{"run"}, args...), 1+program, container)...)
}

// start runs the program in a new container until the test ends.
func (b buildah) start(t *testing.T, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, b.runCommand(t, args...))
	url = p.url(t)
	// buildah does not pass signals on to the program.
	p.PID = b.pidInside(t)
	t.Cleanup(func() { _ = syscall.Kill(p.PID, syscall.SIGKILL) })
	status := read(t, fmt.Sprintf("/proc/%d/status", p.PID))
	for _, want := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("the program does not run as 65534:65534:\n%s", status)
		}
	}
	return p, url
}

// pidInside returns the process ID of the program in the container.
func (b buildah) pidInside(t *testing.T) (pid int) {
	t.Helper()
	for _, link := range glob(t, "/proc/[0-9]*/exe") {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, b.dir) || filepath.Base(program) != "hmp_exporter" {
			continue // it has ended, is a kernel thread, or another program
		}
		if _, err := fmt.Sscanf(link, "/proc/%d/exe", &pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatal("no process runs the image's program")
	return 0
}

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
		demo, url := b.start(t, "/hmp_exporter", "demo", "--web.listen-address=127.0.0.1:0")
		configuredSessions(t, url)
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
	serve, url := b.start(t,
		"--env=HMP_URL=http://127.0.0.1:1", "--env=HMP_TOKEN="+canary.Word,
		"/hmp_exporter", "serve", "--web.listen-address=127.0.0.1:0")
	if want, metrics := `hmp_session_valid{session="default",target="default"} 0`, get(t, url+"/metrics"); !strings.Contains(metrics, want) {
		t.Errorf("/metrics lacks %s:\n%s", want, metrics)
	}
	healthcheck := []string{"/hmp_exporter", "healthcheck", "--url=" + url + "/-/healthy"}
	output(t, b.runCommand(t, healthcheck...))
	serve.stop(t)
	if output, err := b.runCommand(t, healthcheck...).CombinedOutput(); err == nil {
		t.Errorf("the health check succeeds after the exporter stopped:\n%s", output)
	}
}
