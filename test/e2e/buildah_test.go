//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hmp_exporter/internal/exportertest"
)

// A buildah builds and runs images in a folder of the test's own, without an engine, a registry or a daemon.
type buildah struct {
	dir string
}

func newBuildah(t *testing.T) buildah {
	t.Helper()
	if os.Geteuid() != 0 {
		exportertest.LeaveOut(t, "building an image takes root, or `buildah unshare`")
	}
	need(t, "buildah")
	b := buildah{dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(b.dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

// command is one of buildah's. The vfs driver and the chroot isolation ask nothing of the kernel that a test machine,
// often itself a container, may not have.
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

// do runs a command that must succeed and returns what it printed.
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

// buildGoImage makes a stand-in for the official Go image, which no registry is at hand to deliver: an almost empty
// image into which hostToolchain mounts this machine's Go and userland. Its certificates are a mark to be found again.
func (b buildah) buildGoImage(t *testing.T, name, certificates string) {
	t.Helper()
	context := t.TempDir()
	for path, text := range map[string]string{
		"rootfs/tmp/.keep":                         "",
		"rootfs/etc/ssl/certs/ca-certificates.crt": certificates,
		"Dockerfile": `FROM scratch
COPY rootfs /
ENV PATH=/goroot/bin:/usr/bin:/bin GOTOOLCHAIN=local GOPROXY=file:///modules
`,
	} {
		path = filepath.Join(context, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.do(t, "build", "--tag="+name, context)
}

// hostToolchain are the mounts that make the stand-in a Go image. The module cache serves as a module proxy, so that the
// Dockerfile's own download is done for real, but from this machine.
func hostToolchain(t *testing.T) []string {
	t.Helper()
	download := command(t, "go", "mod", "download")
	download.Dir = "../.."
	if output, err := download.CombinedOutput(); err != nil {
		t.Fatalf("go mod download: %v\n%s", err, output)
	}
	output, err := command(t, "go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot, modcache, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	volumes := []string{
		"--volume=" + goroot + ":/goroot:ro",
		"--volume=" + filepath.Join(modcache, "cache/download") + ":/modules:ro",
	}
	for _, dir := range []string{"/usr", "/bin", "/lib", "/lib64"} {
		if target, err := filepath.EvalSymlinks(dir); err == nil {
			volumes = append(volumes, "--volume="+target+":"+dir+":ro")
		}
	}
	return volumes
}

// runCommand runs the program in a new container. Options of buildah's may come before it.
func (b buildah) runCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := slices.Index(args, "/hmp_exporter")
	container := b.do(t, "from", image)
	return b.command(t, slices.Insert(append([]string{"run"}, args...), 1+program, container)...)
}

// run runs the program to its end, which must be a good one, and returns all that it printed.
func (b buildah) run(t *testing.T, args ...string) string {
	t.Helper()
	output, err := b.runCommand(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// pidInside finds the program in the container: buildah, which is between it and the test, does not pass signals on.
// The chroot isolation leaves it in the host's process table.
func (b buildah) pidInside(t *testing.T) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, b.dir) || filepath.Base(program) != "hmp_exporter" {
			continue // gone meanwhile, a kernel thread, or another program
		}
		var pid int
		if _, err := fmt.Sscanf(link, "/proc/%d/exe", &pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatal("no process runs the image's program")
	return 0
}

// An imageConfig is what an engine reads from an image before it runs it.
type imageConfig struct {
	User         string
	WorkingDir   string
	Entrypoint   []string
	Cmd          []string
	ExposedPorts map[string]struct{}
	Healthcheck  struct{ Test []string }
	Labels       map[string]string
}

func (b buildah) config(t *testing.T, image string) imageConfig {
	t.Helper()
	var description struct {
		Docker struct {
			Config imageConfig `json:"config"`
		}
	}
	text := b.do(t, "inspect", "--type=image", image)
	if err := json.Unmarshal([]byte(text), &description); err != nil {
		t.Fatalf("buildah inspect: %v\n%s", err, text)
	}
	return description.Docker.Config
}
