package collector

import (
	"context"
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
)

// A place is the one of a probe among all that are under way.
type place struct {
	limit   *targetLimit
	granted time.Time

	mu       sync.Mutex
	lendable bool // the probe does not need it just now
	lent     bool // others may have it
}

// lendAfter is how long a probe keeps its place while it waits for something else than its HMP.
const lendAfter = 50 * time.Millisecond

// aside calls wait, which waits for something else than the HMP. If that takes long, others
// may have the place meanwhile.
func (p *place) aside(ctx context.Context, wait func()) {
	p.setLendable(true)
	timer := time.AfterFunc(lendAfter, p.lend)
	func() {
		defer p.setLendable(false)
		defer timer.Stop()
		wait()
	}()
	if !p.lent {
		return
	}
	deadline, _ := ctx.Deadline()
	w := &placeWaiter{target: p.limit, until: deadline, done: make(chan bool, 1)}
	p.limit.enqueue(w)
	if <-w.done {
		p.granted, p.lent = time.Now(), false
	}
}

func (p *place) setLendable(lendable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lendable = lendable
}

func (p *place) lend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lendable && !p.lent {
		p.lent = true
		if next := p.limit.release(p.granted, nothing); next != nil {
			next.granted()
		}
	}
}

// giveBack gives the place back with what the result tells of the HMP. It returns what
// [targetLimit.release] does.
func (p *place) giveBack(r *Result) waiter {
	switch {
	case p.lent:
		return nil
	case r.Result == hmp.Timeout && !r.Held:
		return p.limit.release(p.granted, timedOut)
	case r.sent():
		return p.limit.release(p.granted, answered)
	default:
		return p.limit.release(p.granted, nothing)
	}
}

// A placeWaiter is a waiter in the middle of a probe.
type placeWaiter struct {
	target *targetLimit
	until  time.Time
	done   chan bool
}

func (w *placeWaiter) limit() *targetLimit { return w.target }
func (w *placeWaiter) slow() bool          { return false }
func (w *placeWaiter) latest() time.Time   { return w.until }
func (w *placeWaiter) granted()            { w.done <- true }
func (w *placeWaiter) since() time.Time    { return w.until }
func (w *placeWaiter) refused(bool)        { w.done <- false }
