package collector

import (
	"context"
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
)

// A slot is the slot of one probe in the limiter.
type slot struct {
	limit   *targetLimit
	granted time.Time

	mu       sync.Mutex
	idle     bool // the probe does not need it now
	released bool // other probes may have it
}

// idleSlotTimeout is how long a probe keeps its slot while it does not wait for its HMP.
const idleSlotTimeout = 50 * time.Millisecond

// releaseWhile calls wait, which waits for a disk or for another probe. If that takes long,
// other probes get the slot meanwhile.
func (s *slot) releaseWhile(ctx context.Context, wait func()) {
	s.setIdle(true)
	timer := time.AfterFunc(idleSlotTimeout, s.releaseIdle)
	func() {
		defer s.setIdle(false)
		defer timer.Stop()
		wait()
	}()
	if !s.released {
		return
	}
	deadline, _ := ctx.Deadline()
	w := &slotWaiter{target: s.limit, deadline: deadline, done: make(chan bool, 1)}
	s.limit.enqueue(w)
	if <-w.done {
		s.granted, s.released = time.Now(), false
	}
}

func (s *slot) setIdle(idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = idle
}

func (s *slot) releaseIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle && !s.released {
		s.released = true
		if next := s.limit.release(s.granted, noFeedback); next != nil {
			next.granted()
		}
	}
}

// release returns the slot, unless it is released already. The limiter learns from the
// result. It returns what [targetLimit.release] returns.
func (s *slot) release(r *Result) waiter {
	switch {
	case s.released:
		return nil
	case r.Result == hmp.Timeout && !r.Skipped:
		return s.limit.release(s.granted, timedOut)
	case r.sent():
		return s.limit.release(s.granted, answered)
	default:
		return s.limit.release(s.granted, noFeedback)
	}
}

// A slotWaiter waits for a slot in the middle of a probe.
type slotWaiter struct {
	target   *targetLimit
	deadline time.Time
	done     chan bool
}

func (w *slotWaiter) limit() *targetLimit    { return w.target }
func (w *slotWaiter) slow() bool             { return false }
func (w *slotWaiter) startBy() time.Time     { return w.deadline }
func (w *slotWaiter) granted()               { w.done <- true }
func (w *slotWaiter) queuedSince() time.Time { return w.deadline }
func (w *slotWaiter) refused(bool)           { w.done <- false }
