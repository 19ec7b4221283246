package collector

import "time"

// A waiter waits for a slot of its target.
type waiter struct {
	limiter *targetLimiter
	order   int64     // waiters that are queued together start in this order
	since   time.Time // when it began to wait
	startBy time.Time // the latest time at which it may start
	task    task
}

// A task is what needs the slot, such as a [sharedProbe]. The limiter calls one of the two
// methods, once.
type task interface {
	// run runs in a goroutine of its own. It releases the slot, and returns what
	// [slot.release] returns.
	run() (next *waiter)
	// refused is called if there was no slot in time. hmpHangs is true if the slots of the
	// target were in use and the HMP did not answer. It is false if the HMP was too slow for so many probes, or if other targets had the
	// slots.
	refused(hmpHangs bool)
}

// startGoroutine runs a waiter that has a slot, and then the waiters that get the slot after
// it. They share the goroutine, because its stack has already grown. w may be nil.
func startGoroutine(w *waiter) {
	if w != nil {
		go func() {
			for next := w; next != nil; {
				next = next.task.run()
			}
		}()
	}
}

// A feedback says how the HMP behaved in a probe that releases its slot.
type feedback int

const (
	noFeedback feedback = iota
	answered            // or failed before the time of the probe ran out
	probeTimedOut
)

// A slot allows one probe to use the HMP. The limiter has as many slots as there may be probes
// under way.
type slot struct {
	limiter  *targetLimiter
	granted  time.Time
	released bool // other probes may have it
}

// idleSlotTimeout is how long a probe keeps its slot while it does not use it.
const idleSlotTimeout = 50 * time.Millisecond

// releaseIfSlow calls wait, which does not use the slot. If that takes long, releaseIfSlow
// releases the slot with a feedback, so that another probe gets it.
func (s *slot) releaseIfSlow(f feedback, wait func()) {
	if s.released {
		wait()
		return
	}
	granted := s.granted
	timer := time.AfterFunc(idleSlotTimeout, func() { startGoroutine(s.limiter.release(granted, f)) })
	defer func() { s.released = !timer.Stop() }() // also after a panic
	wait()
}

// reacquire waits for a slot if releaseIfSlow has released it. It gives up at a deadline, and
// then returns false.
func (s *slot) reacquire(deadline time.Time) bool {
	if s.released {
		got := make(slotChan, 1)
		s.limiter.limiter.enqueue(&waiter{limiter: s.limiter, since: time.Now(), startBy: deadline, task: got})
		s.released, s.granted = !<-got, time.Now()
	}
	return !s.released
}

// release returns the slot, unless it is released already. It returns what
// [targetLimiter.release] returns.
func (s *slot) release(f feedback) (next *waiter) {
	if s.released {
		return nil
	}
	return s.limiter.release(s.granted, f)
}

// A slotChan is the task of a probe that waits for a slot a second time. It receives true if
// the probe has the slot.
type slotChan chan bool

func (c slotChan) run() *waiter { c <- true; return nil }
func (c slotChan) refused(bool) { c <- false }
