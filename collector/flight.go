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
	started  atomic.Bool   // there was room for it
	status   atomic.Int64  // of the response, once there is one
	landed   chan struct{} // closed when result is there
	result   Result
}

// board returns the flight that is under way, or a new one and true: then the
// caller has to fly it.
func (m *member) board(deadline time.Time) (f *flight, pilot bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flight != nil {
		return m.flight, false
	}
	m.flight = &flight{deadline: deadline, landed: make(chan struct{})}
	return m.flight, true
}

func (m *member) land(f *flight) {
	m.mu.Lock()
	m.flight = nil
	m.mu.Unlock()
	close(f.landed)
}

// late is the answer to a scrape that cannot wait for f any longer.
func (f *flight) late() hmp.Answer {
	if !f.started.Load() {
		return hmp.Answer{Outcome: hmp.Saturated}
	}
	status := int(f.status.Load())
	return hmp.Answer{Outcome: hmp.Timeout, Responded: status != 0, StatusCode: status}
}

// probe returns the result of a probe of m that ends within the given time.
func (c *Collector) probe(ctx context.Context, m *member, given time.Duration) Result {
	start := time.Now()
	deadline := start.Add(given)
	// A scraper that hangs up does not end a probe: others may share it.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	for {
		f, pilot := m.board(deadline)
		if pilot {
			c.fly(ctx, m, f, given)
			return f.result
		}
		patience := ctx.Done()
		if !deadline.Before(f.deadline) {
			patience = nil // it lands in time, with more to tell than that it is late
		}
		select {
		case <-f.landed:
		case <-patience:
			c.metrics.coalesced.Inc()
			r := m.result(start, given, session.Report{Answer: f.late()})
			m.state.tally(&r)
			return r
		}
		// A flight may have needed more time than it had. A new one can know better
		// only if it has more, and not if this scrape came but a moment later.
		short := f.result.Outcome == hmp.Timeout || f.result.Outcome == hmp.Saturated
		if !short || time.Until(deadline) <= f.result.Timeout {
			c.metrics.coalesced.Inc()
			return f.result
		}
		given = time.Until(deadline)
	}
}

// fly makes the probe and lands f with its result.
func (c *Collector) fly(ctx context.Context, m *member, f *flight, given time.Duration) {
	defer m.land(f)
	var login hmp.Outcome
	f.result, login = c.makeProbe(ctx, m, f, given)
	m.state.conclude(&f.result, login, c.logger)
}

// makeProbe makes the probe, once there is room for it. It also returns what a
// login ended in that was a part of it, "" without one.
func (c *Collector) makeProbe(ctx context.Context, m *member, f *flight, given time.Duration) (r Result, login hmp.Outcome) {
	start := time.Now()
	select {
	case c.slots <- struct{}{}:
	default:
		// Half of the time is for the probe itself: one that began in the last
		// moment would say of an HMP that it did not answer.
		wait := time.NewTimer(given / 2)
		defer wait.Stop()
		select {
		case c.slots <- struct{}{}:
		case <-wait.C:
			return m.result(start, given, session.Report{Answer: hmp.Answer{Outcome: hmp.Saturated}}), ""
		}
		start, given = time.Now(), time.Until(f.deadline)
	}
	defer func() { <-c.slots }()
	f.started.Store(true)
	c.metrics.inFlight.Inc()
	defer c.metrics.inFlight.Dec()

	report := m.ask(ctx, f)
	r = m.result(start, given, report)
	c.metrics.duration.Observe(r.Duration.Seconds())
	return r, report.Login
}

// ask finds a token and asks the HMP.
func (m *member) ask(ctx context.Context, f *flight) session.Report {
	header, err := m.target.Header()
	if err != nil {
		return session.Report{Answer: hmp.Answer{Outcome: hmp.Credentials, Reason: err.Error()}}
	}
	return m.source.Probe(ctx, exchange{client: m.client, header: header, status: &f.status})
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
		result.Logins = &Logins{Status: status}
	}
	return result
}
