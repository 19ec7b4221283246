package collector

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmpsim"
)

// Who wants each result at once is told it when it is there, and once.
func TestDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("studio", sessions{"fast": valid(), "slow": hmpsim.Delay(2*time.Second, valid()), "hung": hmpsim.Hang()})
		r.Apply(r.load(targetNamed("studio", "slow", "hung", "fast")))
		start := time.Now()
		var mu sync.Mutex
		got := make(map[string]time.Duration)
		done := func(result Result) {
			mu.Lock()
			defer mu.Unlock()
			if _, twice := got[result.Session]; twice {
				t.Errorf("%s is told twice", result.Session)
			}
			got[result.Session] = time.Since(start)
		}
		r.probe(Request{Done: done})
		if diff := cmp.Diff(map[string]time.Duration{"fast": 0, "slow": 2 * time.Second, "hung": 10 * time.Second}, got); diff != "" {
			t.Errorf("when they were told (-want +got):\n%s", diff)
		}
		clear(got)
		r.probe(Request{Target: "studio", Session: "fast", Done: done})
		if len(got) != 1 {
			t.Errorf("of one session, %d results are told", len(got))
		}
	})
}
