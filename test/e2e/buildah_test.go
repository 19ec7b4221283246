//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"hmp_exporter/internal/exportertest"
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
func (b buildah) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, b.runCommand(t, args...))
	p.waitForURL(t)
	// buildah does not pass signals on to the program.
	p.PID = b.pidInside(t)
	t.Cleanup(func() { _ = syscall.Kill(p.PID, syscall.SIGKILL) })
	status := read(t, fmt.Sprintf("/proc/%d/status", p.PID))
	for _, want := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("the program does not run as 65534:65534:\n%s", status)
		}
	}
	return p
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
