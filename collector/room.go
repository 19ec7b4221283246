package collector

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

// A room bounds how many probes there are at once, of all targets and of each one: a
// target that hangs, with however many sessions, leaves half of the places to others.
type room struct {
	all, target *semaphore.Weighted
	places      int                 // that the target can have
	turn        *semaphore.Weighted // of the scrapes of the target
}

// roomOfTarget returns the room for a target, one of several or the only one.
func (c *Collector) roomOfTarget(only bool) room {
	share := max(1, c.maxConcurrent/2)
	if only {
		share = c.maxConcurrent
	}
	return room{c.places, semaphore.NewWeighted(int64(share)), share, semaphore.NewWeighted(1)}
}

// enter takes a place, after a wait if need be, and tells whether it did.
func (r room) enter(latest time.Time) bool {
	if !time.Now().Before(latest) {
		return false
	}
	if r.target.TryAcquire(1) {
		if r.all.TryAcquire(1) {
			return true
		}
		r.target.Release(1)
	}
	ctx, cancel := context.WithDeadline(context.Background(), latest)
	defer cancel()
	if r.target.Acquire(ctx, 1) != nil {
		return false
	}
	if r.all.Acquire(ctx, 1) != nil {
		r.target.Release(1)
		return false
	}
	return true
}

func (r room) leave() {
	r.all.Release(1)
	r.target.Release(1)
}
