package collector

import (
	"context"
	"sync/atomic"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/session"
)

// A flight is a probe under way. Scrapes that overlap share it, so that an HMP
// sees one probe of a session at a time, however many scrapers there are.
type flight struct {
	deadline time.Time
	sent     atomic.Bool   // there was room for it, and a token or a login
	status   atomic.Int64  // of the last response, once there is one
	landed   chan struct{} // closed when result is there
	result   Result
}

func newFlight(deadline time.Time) *flight {
	return &flight{deadline: deadline, landed: make(chan struct{})}
}

// A span is the time that a scrape has for a probe.
type span struct {
	start  time.Time
	length time.Duration
}

func (s span) end() time.Time { return s.start.Add(s.length) }

// half is when a probe has to begin: one that began in the last moment would say of an
// HMP that it did not answer.
func (s span) half() time.Time { return s.start.Add(s.length / 2) }

// A seat is one on a flight of a member. Its pilot has to fly it.
type seat struct {
	*flight
	member *member
	pilot  bool
}

// board returns a seat on the flight that is under way, or else on a new one.
func (m *member) board(deadline time.Time) seat {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flight != nil {
		return seat{m.flight, m, false}
	}
	m.flight = newFlight(deadline)
	return seat{m.flight, m, true}
}

func (m *member) land(f *flight) {
	m.mu.Lock()
	m.flight = nil
	m.mu.Unlock()
	close(f.landed)
}

// grace is how long after its deadline a flight may land.
const grace = 25 * time.Millisecond

// late is the report to a scrape that cannot wait for f any longer.
func (f *flight) late() session.Report {
	if !f.sent.Load() {
		return saturated
	}
	status := int(f.status.Load())
	return session.Report{Answer: hmp.Answer{Result: hmp.Timeout, Responded: status != 0, StatusCode: status}}
}

// saturated is the report of a probe for which there was no room.
var saturated = session.Report{Answer: hmp.Answer{Result: hmp.Saturated}}

// probe returns the result of a probe that ends within its span.
func (c *Collector) probe(ctx context.Context, s seat, within span) Result {
	m, deadline := s.member, within.end()
	// A scraper that hangs up does not end a probe: others may share it.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	for {
		f := s.flight
		if s.pilot {
			c.fly(ctx, m, f, within)
			return f.result
		}
		patience := deadline
		if !deadline.Before(f.deadline) {
			// It lands in time, with more to tell than that it is late; unless
			// something hangs that no deadline ends, such as a disk.
			patience = f.deadline.Add(grace)
		}
		late := time.NewTimer(time.Until(patience))
		select {
		case <-f.landed:
			late.Stop()
		case <-late.C:
			c.metrics.coalesced.Inc()
			r := m.result(within.start, within.length, f.late())
			m.state.tally(&r)
			return r
		}
		// A flight may have needed more time than it had. A new one can know better
		// only if it has more, and not if this scrape came but a moment later.
		short := f.result.Result == hmp.Timeout || f.result.Result == hmp.Saturated
		if !short || time.Until(deadline) <= f.result.Timeout {
			c.metrics.coalesced.Inc()
			return f.result
		}
		within = span{time.Now(), time.Until(deadline)}
		s = m.board(deadline)
	}
}

// fly makes the probe and lands f with its result.
func (c *Collector) fly(ctx context.Context, m *member, f *flight, within span) {
	defer m.land(f)
	f.result = c.survive(m, within.length, func() Result { return c.makeProbe(ctx, m, f, within) })
	m.state.conclude(&f.result, c.logger)
}

// makeProbe makes the probe, once there is room for it.
func (c *Collector) makeProbe(ctx context.Context, m *member, f *flight, within span) Result {
	if !m.room.enter(within.half()) {
		return m.result(within.start, within.length, saturated)
	}
	defer m.room.leave()
	start, given := time.Now(), within.length
	left := within.end().Sub(start)
	if left <= 0 { // there was room, but no processor
		return m.result(within.start, given, saturated)
	}
	// What is said of the time had shall not change with every probe by a moment.
	if left < given-given/50 {
		given = left
	}

	c.metrics.inFlight.Inc()
	defer c.metrics.inFlight.Dec()

	r := m.result(start, given, m.ask(ctx, f))
	if r.sent() {
		c.metrics.duration.Observe(r.Duration.Seconds())
	}
	return r
}

// ask finds a token and asks the HMP.
func (m *member) ask(ctx context.Context, f *flight) session.Report {
	header, err := m.target.Header(ctx)
	if err != nil {
		return session.Unreadable(err)
	}
	return m.source.Probe(ctx, exchange{client: m.client, header: header, flight: f})
}

// result makes the result of a probe that ends now, but for what is counted.
func (m *member) result(start time.Time, given time.Duration, r session.Report) Result {
	result := Result{
		Target:   m.target.Name,
		Session:  m.session.Name,
		Answer:   r.Answer,
		Held:     r.Held,
		Start:    start,
		Duration: time.Since(start),
		Timeout:  given,
	}
	if status, ok := m.source.Status(); ok {
		result.Logins = &Logins{Status: status, Last: r.Login}
	}
	return result
}
