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
func (p *slot) releaseWhile(ctx context.Context, wait func()) {
	p.setIdle(true)
	timer := time.AfterFunc(idleSlotTimeout, p.releaseIdle)
	func() {
		defer p.setIdle(false)
		defer timer.Stop()
		wait()
	}()
	if !p.released {
		return
	}
	deadline, _ := ctx.Deadline()
	w := &slotWaiter{target: p.limit, deadline: deadline, done: make(chan bool, 1)}
	p.limit.enqueue(w)
	if <-w.done {
		p.granted, p.released = time.Now(), false
	}
}

func (p *slot) setIdle(lendable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = lendable
}

func (p *slot) releaseIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle && !p.released {
		p.released = true
		if next := p.limit.release(p.granted, noFeedback); next != nil {
			next.granted()
		}
	}
}

// release returns the slot, unless it is released already. The limiter learns from the
// result. It returns what [targetLimit.release] returns.
func (p *slot) release(r *Result) waiter {
	switch {
	case p.released:
		return nil
	case r.Result == hmp.Timeout && !r.Skipped:
		return p.limit.release(p.granted, timedOut)
	case r.sent():
		return p.limit.release(p.granted, answered)
	default:
		return p.limit.release(p.granted, noFeedback)
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
