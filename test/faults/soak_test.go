package faults

import (
	"fmt"
	"os"
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
	soakProbes  = 1_000
	soakReloads = 20
	concurrency = 8
	// maxGrowth of the heap is less than 600 bytes for each probe, and more than what pools
	// and the runtime use.
	maxGrowth = 512 << 10
)

// TestSoak probes targets with faults a thousand times, and reloads twenty times. Then
// there are no more goroutines, open files and bytes of the heap than before.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	s.probe(2*len(s.targets), 4) // fills the pools
	before := s.waitForIdle(resources{})
	s.probe(soakProbes, soakReloads)
	after := s.waitForIdle(before)
	t.Logf("%d targets; before %+v, after %+v", len(s.targets), before, after)
	if !after.within(before) {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("there is a leak: %+v became %+v\n%s", before, after, stacks.String())
	}
}

// A soak is an exporter with a target for each fault.
type soak struct {
	t        *testing.T
	targets  []soakTarget
	exporter *exporter
}

type soakTarget struct {
	name  string
	fault string
	want  hmp.Result
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t}
	targets := ""
	for _, section := range sections {
		for _, r := range section.rows {
			if r.heavy || r.want.Lasts || r.only == withKey {
				continue
			}
			n := len(s.targets)
			target := newSetup(t)
			t.Cleanup(target.close)
			target.maxRecorded = 0
			target.configure("keep_alive: %t", n%2 == 0)
			target.secure = r.script != nil && n/2%2 == 0
			r.build(target)
			name := fmt.Sprintf("target-%d", n)
			s.targets = append(s.targets, soakTarget{name, r.name, r.want.Name})
			targets += target.configuration(name, withToken)
		}
	}
	s.exporter = startExporter(t, t.TempDir(), targets)
	t.Cleanup(s.exporter.close)
	return s
}

// probe probes one target after the other, several at once, and reloads in between.
func (s *soak) probe(probes, reloads int) {
	s.t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range concurrency {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < probes; n = int(next.Add(1)) - 1 {
				if n%(probes/reloads) == 0 {
					s.reload()
				}
				s.probeTarget(s.targets[n%len(s.targets)])
			}
		})
	}
	wg.Wait()
}

func (s *soak) reload() {
	if err := s.exporter.store.Reload(); err != nil {
		s.t.Error(err)
	}
}

func (s *soak) probeTarget(target soakTarget) {
	text, took, err := s.exporter.probe(target.name)
	if err != nil {
		s.t.Errorf("%s: %v", target.fault, err)
		return
	}
	want := fmt.Sprintf("{result=%q,session=\"playout\",target=%q} 1\n", target.want, target.name)
	if !strings.Contains(text, want) {
		s.t.Errorf("%s: want %s after %v, got\n%s", target.fault, target.want, took, text)
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
func (s *soak) waitForIdle(before resources) resources {
	s.t.Helper()
	s.reload() // closes kept connections
	s.exporter.closeIdle()
	deadline := time.After(rowTimeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for last := (resources{}); ; {
		now := s.usage()
		stable := now.goroutines == last.goroutines && now.files == last.files
		if stable && (before == resources{} || now.within(before)) {
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

// within tells whether the process uses no more than before.
func (r resources) within(before resources) bool {
	return r.goroutines <= before.goroutines && r.files <= before.files && r.heap <= before.heap+maxGrowth
}

func (s *soak) usage() resources {
	s.t.Helper()
	files, err := os.ReadDir("/dev/fd") // also on macOS
	if err != nil {
		s.t.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // a pool is emptied by two
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return resources{runtime.NumGoroutine(), len(files), heap[0].Value.Uint64()}
}
