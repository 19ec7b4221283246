//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/internal/exportertest"
)

// TestMemoryLimit runs the program in a control group, as a container is one: its garbage collector keeps within nine
// tenths of what the group may have, unless the environment says otherwise.
func TestMemoryLimit(t *testing.T) {
	const most = 200 << 20
	enter := []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(controlGroup(t, most), "cgroup.procs")}
	for _, c := range []struct {
		name, environment string
		limit             float64
	}{
		{"by the group", "", 0.9 * most},
		{"by the environment", "GOMEMLIMIT=100MiB", 100 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := collectorSetting(t, enter, c.environment, "go_gc_gomemlimit_bytes"); got < 0.999*c.limit || got > c.limit {
				t.Errorf("the limit is %.0f bytes, want %.0f", got, c.limit)
			}
		})
	}
}

// TestGarbage is how much garbage there may be, in percent of what is in use.
func TestGarbage(t *testing.T) {
	for environment, want := range map[string]float64{"": 200, "GOGC=50": 50} {
		if got := collectorSetting(t, nil, environment, "go_gc_gogc_percent"); got != want {
			t.Errorf("with the environment %q it is %.0f %%, want %.0f", environment, got, want)
		}
	}
}

// collectorSetting returns a metric about the garbage collector of a program that is started by some other command, or
// by itself, with one more variable of the environment.
func collectorSetting(t *testing.T, by []string, environment, name string) float64 {
	t.Helper()
	args := append(slices.Clone(by), exporterBinary, "demo", "--web.listen-address=127.0.0.1:0", "--no-collector.sessions")
	cmd := command(t, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), environment)
	exporter := start(t, cmd)
	defer exporter.stop(t)
	return valueOf(t, exporter.url(t), name)
}

// controlGroup makes one that may have so many bytes of memory.
func controlGroup(t *testing.T, limit int) string {
	t.Helper()
	name := fmt.Sprintf("hmp_exporter-%d", os.Getpid())
	for _, version := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, // 1
		{"/sys/fs/cgroup", "memory.max"},                   // 2
	} {
		group := filepath.Join(version.root, name)
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			if err := os.Remove(group); err != nil {
				t.Error(err)
			}
		})
		if os.WriteFile(filepath.Join(group, version.file), []byte(strconv.Itoa(limit)), 0o644) == nil {
			return group
		}
	}
	exportertest.LeaveOut(t, "a control group of memory takes root and a cgroup file system that can be written")
	return ""
}

// valueOf returns the value of a metric without labels.
func valueOf(t *testing.T, url, name string) (value float64) {
	t.Helper()
	for line := range strings.Lines(string(get(t, url+"/metrics", nil).body)) {
		if _, err := fmt.Sscanf(line, name+" %g\n", &value); err == nil {
			return value
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}
