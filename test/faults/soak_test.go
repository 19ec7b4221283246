package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	soakProbes  = 2_000
	soakReloads = 100
	concurrency = 8
)

// TestSoak probes targets with faults two thousand times, and reloads a hundred times. Then
// there are no more goroutines, open files and bytes of the heap than before.
func TestSoak(t *testing.T) {
	k := newSoak(t)
	defer k.close()
	k.probe(2*len(k.targets), 4) // fills the pools
	before := k.waitForIdle(resources{})
	k.probe(soakProbes, soakReloads)
	after := k.waitForIdle(before)
	t.Logf("%d targets; before %+v, after %+v", len(k.targets), before, after)
	if after.goroutines > before.goroutines || after.files > before.files || after.heap > before.heap+heapTolerance {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("there is a leak: %+v became %+v\n%s", before, after, stacks.String())
	}
}

// heapTolerance is less than 300 bytes for each probe, and more than what pools and the runtime
// use.
const heapTolerance = 512 << 10

// A soakTarget is a target with a fault.
type soakTarget struct {
	name  string
	fault string
	want  hmp.Result
}

type soak struct {
	t       *testing.T
	targets []soakTarget
	setups  []*setup
	e       *exporter
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	k := &soak{t: t}
	var b strings.Builder
	b.WriteString("targets:\n")
	for _, section := range sections {
		for _, r := range section.rows {
			if r.heavy || r.want.Lasts || r.only == withKey {
				continue
			}
			s := newSetup(t, t.TempDir())
			s.limit = 0
			n := len(k.targets)
			s.set("keep_alive: %t", n%2 == 0)
			s.secure = r.script != nil && n/2%2 == 0
			r.build(s)
			k.setups = append(k.setups, s)
			target := soakTarget{fmt.Sprintf("target-%d", n), r.name, r.want.Result}
			k.targets = append(k.targets, target)
			b.WriteString(s.configuration(target.name, withToken))
		}
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	k.e = export(t, file)
	return k
}

func (k *soak) close() {
	k.e.close()
	for _, s := range k.setups {
		s.close()
	}
}

// probe probes one target after the other, several at once, and reloads in between.
func (k *soak) probe(probes, reloads int) {
	k.t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range concurrency {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < probes; n = int(next.Add(1)) - 1 {
				if n%(probes/reloads) == 0 {
					k.reload()
				}
				k.probeTarget(k.targets[n%len(k.targets)])
			}
		})
	}
	wg.Wait()
}

func (k *soak) reload() {
	if err := k.e.store.Reload(); err != nil {
		k.t.Error(err)
	}
}

// resultIn matches the result in an exposition.
var resultIn = regexp.MustCompile(`hmp_session_probe_result\{result="(\w+)",[^}]*\} 1\n`)

func (k *soak) probeTarget(target soakTarget) {
	text, took, err := k.e.probe(target.name)
	if err != nil {
		k.t.Errorf("%s: %v", target.fault, err)
		return
	}
	got := resultIn.FindStringSubmatch(text)
	if len(got) < 2 || got[1] != string(target.want) {
		k.t.Errorf("%s: got %q after %v, want %s", target.fault, got, took, target.want)
	}
}

// resources are the resources of the process.
type resources struct {
	goroutines int
	files      int
	heap       uint64 // bytes of live objects
}

// waitForIdle waits until the process uses no more than before, at most rowTimeout. net/http
// holds a closed HTTP/2 connection in memory for five seconds.
func (k *soak) waitForIdle(before resources) resources {
	k.t.Helper()
	k.reload() // closes kept connections
	k.e.closeIdle()
	deadline := time.After(rowTimeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for last := (resources{}); ; {
		now := k.usage()
		stable := now.goroutines == last.goroutines && now.files == last.files
		if stable && (before == resources{} || now.goroutines <= before.goroutines && now.files <= before.files && now.heap <= before.heap+heapTolerance) {
			return now
		}
		last = now
		select {
		case <-tick.C:
		case <-deadline:
			return now
		}
	}
}

func (k *soak) usage() resources {
	k.t.Helper()
	files, err := os.ReadDir("/dev/fd") // also on macOS
	if err != nil {
		k.t.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // a pool is emptied by two
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return resources{runtime.NumGoroutine(), len(files), heap[0].Value.Uint64()}
}
