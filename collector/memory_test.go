package collector

import (
	"runtime"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// TestMemory probes a session of 64 MB. All that is allocated meanwhile, garbage
// and the share of the HMP included, is more than the heap can have grown by; and
// unlike the size of the heap it does not depend on when the collector ran.
func TestMemory(t *testing.T) {
	const most = 4 << 20
	r := newRig(t)
	sim := newSim(sessions{"small": hmpsim.Large(lookalike(), 1<<10), "large": hmpsim.Large(lookalike(), 64<<20)})
	r.listen("studio:80", sim, nil)
	r.Apply(r.load(targetWith("studio", "url: http://studio\nmax_body_size: 128MiB", "small", "large")))

	allocated := func(session string) int64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		results := r.probe(Request{Target: "studio", Session: session})
		runtime.ReadMemStats(&after)
		if !results[0].Valid() {
			t.Fatalf("%s: %+v", session, results)
		}
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	allocated("small") // fills pools
	small := allocated("small")
	large := allocated("large")
	t.Logf("a small session takes %d bytes, a large one %d", small, large)
	if large-small > most {
		t.Errorf("a large session takes %d bytes more, want %d at most", large-small, most)
	}
}
