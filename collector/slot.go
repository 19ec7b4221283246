package collector

import (
	"context"
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
)

// A place is the one of a probe among all that are under way.
type slot struct {
	limit   *targetLimit
	granted time.Time

	mu       sync.Mutex
	idle     bool // the probe does not need it just now
	released bool // others may have it
}

// lendAfter is how long a probe keeps its place while it waits for something else than its HMP.
const idleSlotTimeout = 50 * time.Millisecond

// aside calls wait, which waits for something else than the HMP. If that takes long, others
// may have the place meanwhile.
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

// giveBack gives the place back with what the result tells of the HMP. It returns what
// [targetLimit.release] does.
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

// A placeWaiter is a waiter in the middle of a probe.
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
