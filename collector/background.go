package collector

import (
	"context"
	"time"
)

// ProbeEvery probes every session at once, and then once per interval, until ctx is done.
// It spreads the probes over the interval. It probes the sessions that a new configuration
// adds at once. Scrapes share these probes, and ProbeEvery shares those of scrapes.
func (c *Collector) ProbeEvery(ctx context.Context, interval time.Duration) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait := func(until time.Time) bool {
		timer.Reset(time.Until(until))
		for {
			select {
			case <-ctx.Done():
				return false
			case <-c.applied:
				c.probeInBackground(c.unprobed()...)
			case <-timer.C:
				return ctx.Err() == nil
			}
		}
	}
	c.probeInBackground(c.snapshot.Load().sessions...)
	for {
		begin, sessions := time.Now(), c.snapshot.Load().sessions
		if len(sessions) == 0 && !wait(begin.Add(interval)) {
			return
		}
		for i, s := range sessions {
			if !wait(begin.Add(interval * time.Duration(i+1) / time.Duration(len(sessions)))) {
				return
			}
			// The configuration may have changed since the interval began.
			if s, err := c.snapshot.Load().session(s.target.Name, s.Name); err == nil {
				c.probeInBackground(s)
			}
		}
	}
}

// probeInBackground starts probes of sessions that have none under way, and does not wait.
func (c *Collector) probeInBackground(sessions ...*session) {
	start := time.Now()
	var newProbes []*waiter
	for _, s := range sessions {
		switch p, isNew := c.join(s, start, s.target.Timeout); {
		case isNew:
			newProbes = append(newProbes, &p.waiter)
		case p.short: // it is only recorded if a caller that is not short waits for it
			caller := &caller{probe: p, session: s, start: start, timeout: s.target.Timeout}
			go func() {
				if _, isFinal := caller.wait(); !isFinal {
					caller.retry()
				}
			}()
		}
	}
	c.limiter.enqueue(newProbes...)
}

// unprobed returns the sessions that have no result yet.
func (c *Collector) unprobed() (sessions []*session) {
	for _, s := range c.snapshot.Load().sessions {
		if s.state.lastResult() == nil {
			sessions = append(sessions, s)
		}
	}
	return sessions
}
