//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hmp_exporter/internal/exportertest"
)

func expectMetric(t *testing.T, url, want string) {
	t.Helper()
	if metrics := get(t, url+"/metrics"); !strings.Contains(metrics, want) {
		t.Errorf("/metrics lacks %s:\n%s", want, metrics)
	}
}

// A machine has systemd as init, which runs the unit. See systemd_boot.sh. It shares the network
// of this machine.
type machine struct {
	*process
}

// boot starts a machine with files. systemd_boot.sh installs them.
func boot(t *testing.T, files map[string]string) machine {
	t.Helper()
	if os.Geteuid() != 0 {
		exportertest.LeaveOut(t, "systemd as init needs root")
	}
	if output, err := command(t, "unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "true").CombinedOutput(); err != nil {
		exportertest.LeaveOut(t, "systemd as init needs namespaces: %s", bytes.TrimSpace(output))
	}
	need(t, "/lib/systemd/systemd")
	dir := t.TempDir()
	files[unit], files["hmp_exporter"] = read(t, unitFile), read(t, exporterBinary)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	runtime.LockOSThread() // Pdeathsig is sent when the thread ends, with the test
	group, err := os.Open(newCgroup(t))
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	cmd := exec.CommandContext(t.Context(), "./systemd_boot.sh", dir) // an init ignores SIGTERM
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:   syscall.SIGKILL,
		UseCgroupFD: true,
		CgroupFD:    int(group.Fd()),
	}
	return machine{start(t, cmd)}
}

// newCgroup makes a cgroup until the test ends, and returns its directory.
func newCgroup(t *testing.T) string {
	t.Helper()
	var root string
	for line := range strings.Lines(read(t, "/proc/self/mountinfo")) {
		if before, after, _ := strings.Cut(line, " - "); strings.HasPrefix(after, "cgroup2 ") {
			root = strings.Fields(before)[4]
		}
	}
	if root == "" {
		exportertest.LeaveOut(t, "systemd as init needs a cgroup2 file system")
	}
	dir, err := os.MkdirTemp(root, "hmp_exporter-test-")
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		exportertest.LeaveOut(t, "systemd as init needs a writable cgroup2 file system: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var dirs []string
		_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		for _, dir := range slices.Backward(dirs) {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		}
	})
	return dir
}

// do runs a command on the machine, which must succeed, and returns its output.
func (m machine) do(t *testing.T, args ...string) string {
	t.Helper()
	inside := append([]string{"--target=" + strconv.Itoa(m.PID), "--mount", "--pid"}, args...)
	return strings.TrimSpace(run(t, "nsenter", inside...))
}

// property returns a property of the unit.
func (m machine) property(t *testing.T, name string) string {
	t.Helper()
	return m.do(t, "systemctl", "show", "--value", "--property="+name, unit)
}

// status returns the fields of /proc/…/status of the program.
func (m machine) status(t *testing.T) map[string]string {
	t.Helper()
	fields := make(map[string]string)
	for line := range strings.Lines(m.do(t, "cat", fmt.Sprintf("/proc/%s/status", m.property(t, "MainPID")))) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}
