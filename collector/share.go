package collector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstWorkers is how many make the probes of a target at first.
	firstWorkers = 8
	// enoughTicks is in how many more ticks they have to be done, to stay so few.
	enoughTicks = 20
)

// tick is how often the workers are looked after: so often that those who come last
// have hardly less of the time of a scrape.
func (s span) tick() time.Duration {
	return max(time.Microsecond, min(20*time.Millisecond, s.length/400))
}

// share has do called with every index below n, by as many workers at once as there are
// places for. There are few at first, and twice as many at every tick as long as the
// work would take long at its pace: an HMP that answers fast sees few connections, and
// one that is slow has many within a moment, but not in an instant.
//
// Scrapes of a target take turns: the next one begins when all of the last has begun.
// What has not begun at half of the time is done at once, as then it cannot begin.
func (r room) share(group *sync.WaitGroup, n int, s span, do func(i int)) {
	if n == 0 {
		return
	}
	w := &workforce{group: group, n: int64(n), do: do, none: make(chan struct{})}
	group.Go(func() {
		half, cancel := context.WithDeadline(context.Background(), s.half())
		defer cancel()
		if r.turn.Acquire(half, 1) == nil {
			defer r.turn.Release(1)
			w.employ(half, min(r.places, n), s.tick())
		}
		w.work()
	})
}

// A workforce shares work.
type workforce struct {
	group *sync.WaitGroup
	n     int64
	do    func(i int)
	taken atomic.Int64  // how many indices, and perhaps more in the end
	none  chan struct{} // closed when no index is left
}

func (w *workforce) work() {
	for i := w.taken.Add(1); i <= w.n; i = w.taken.Add(1) {
		if i == w.n {
			close(w.none)
		}
		w.do(int(i - 1))
	}
}

// employ starts workers, at most so many, and returns when they have begun all, or at half.
func (w *workforce) employ(half context.Context, most int, every time.Duration) {
	workers := 0
	hire := func(n int) {
		for range min(n, most-workers) {
			w.group.Go(w.work)
			workers++
		}
	}
	hire(firstWorkers)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for before := int64(0); ; {
		select {
		case <-w.none:
			return
		case <-half.Done():
			return
		case <-tick.C:
		}
		now := w.taken.Load()
		if w.n-now > enoughTicks*(now-before) {
			hire(workers)
		}
		if before = now; workers == most {
			tick.Stop()
		}
	}
}
