//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestMemory runs the program in a control group, as a container is one: its garbage collector keeps within nine tenths
// of what the group may have, and makes use of it, unless the environment says otherwise.
func TestMemory(t *testing.T) {
	const most = 200 << 20
	group := controlGroup(t, most)
	for _, c := range []struct {
		name           string
		environment    []string
		limit, percent float64
	}{
		{"by the group", nil, 0.9 * most, 200},
		{"by the environment", []string{"GOMEMLIMIT=100MiB", "GOGC=50"}, 100 << 20, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(t, "sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(group, "cgroup.procs"),
				exporterBinary, "demo", "--web.listen-address=127.0.0.1:0", "--no-collector.sessions")
			cmd.Env = append(os.Environ(), c.environment...)
			exporter := start(t, cmd)
			if got := valueOf(t, exporter.url(t), "go_gc_gomemlimit_bytes"); got < 0.999*c.limit || got > c.limit {
				t.Errorf("the limit is %.0f bytes, want %.0f", got, c.limit)
			}
			if got := valueOf(t, exporter.url(t), "go_gc_gogc_percent"); got != c.percent {
				t.Errorf("the garbage may be %.0f %% of what is in use, want %.0f", got, c.percent)
			}
			exporter.stop(t)
		})
	}
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
	t.Skip("this system lets nobody make a control group of memory")
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
