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
	inFlight    = 8 // probes at once
)

// TestSoak makes two thousand probes of targets with faults, and a hundred reloads
// between them. Goroutines, open files and the heap are then what they were.
func TestSoak(t *testing.T) {
	k := newSoak(t)
	defer k.close()
	k.probe(2*len(k.targets), 4) // fills pools
	before := k.rest(resources{})
	k.probe(soakProbes, soakReloads)
	after := k.rest(before)
	t.Logf("%d targets; before %+v, after %+v", len(k.targets), before, after)
	if after.goroutines > before.goroutines || after.files > before.files || after.heap > before.heap+heapTolerance {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("something leaks: %+v became %+v\n%s", before, after, stacks.String())
	}
}

// heapTolerance is less than 300 bytes for each probe and thirty for each reload of
// each target, and more than what pools and the runtime itself hold now and then.
const heapTolerance = 512 << 10

// A soakTarget is one that a fault happens to.
type soakTarget struct {
	name  string
	fault string
	want  hmp.Result
}

type soak struct {
	t       *testing.T
	targets []soakTarget
	stages  []*stage
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
			s := newStage(t, t.TempDir())
			s.keep = 0
			n := len(k.targets)
			s.set("keep_alive: %t", n%2 == 0)
			s.secure = r.script != nil && n/2%2 == 0
			r.build(s)
			k.stages = append(k.stages, s)
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
	for _, s := range k.stages {
		s.close()
	}
}

// probe probes one target after the other, several at once, and loads the
// configuration anew in between.
func (k *soak) probe(probes, reloads int) {
	k.t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < probes; n = int(next.Add(1)) - 1 {
				if n%(probes/reloads) == 0 {
					k.reload()
				}
				k.one(k.targets[n%len(k.targets)])
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

// resultIn finds the result in an exposition.
var resultIn = regexp.MustCompile(`hmp_session_probe_result\{result="(\w+)",[^}]*\} 1\n`)

func (k *soak) one(target soakTarget) {
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

// resources are what a process has for itself.
type resources struct {
	goroutines int
	files      int
	heap       uint64 // bytes of objects that are in use
}

// rest returns what is in use once all is idle: at the latest when a minute has
// passed, or what was in use before is not exceeded any more. net/http holds a closed
// connection of HTTP/2 in memory for five seconds.
func (k *soak) rest(before resources) resources {
	k.t.Helper()
	k.reload() // drops the connections that are kept
	k.e.idle()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for last := (resources{}); ; {
		now := k.use()
		settled := now.goroutines == last.goroutines && now.files == last.files
		if settled && (before == resources{} || now.goroutines <= before.goroutines && now.files <= before.files && now.heap <= before.heap+heapTolerance) {
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

func (k *soak) use() resources {
	k.t.Helper()
	files, err := os.ReadDir("/dev/fd") // macOS has it too
	if err != nil {
		k.t.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // pools need two
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return resources{runtime.NumGoroutine(), len(files), heap[0].Value.Uint64()}
}
