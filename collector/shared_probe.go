package collector

import (
	"sync/atomic"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// Rule: scrapes of a session share the probe under way, also across a reload. The probe belongs
// to the name of the session. A new one starts beside it only if the configuration of the
// session has changed, or after [Collector.RetryLogin].
//
// Rule: a probe has a goroutine of its own. Each caller waits until the caller's own
// deadline, and maxResultDelay longer at most. So a file, a disk or a panic that hangs holds
// no scrape.

// A sharedProbe is a probe under way.
type sharedProbe struct {
	collector *Collector
	session   *session
	start     time.Time
	timeout   time.Duration
	// short is true if the scrape that started the probe is short (see isShort). The probe
	// then sends no login. It is not logged or recorded, unless a scrape that is not short waits
	// for it.
	short bool

	waiter  waiter // for a slot
	slot    slot
	secrets secrets
	// The token that was sent last, and the one in the answer or else the same, for
	// requestVersion.
	sent, next secret.Value

	stage  atomic.Int32
	status atomic.Int64 // of the last response, 0 before the first

	// The fields below are set once done is closed.
	done     chan struct{}
	result   *Result // a pointer, because the history keeps it without the probe
	detached bool    // the session no longer shared this probe when it ended
}

// The stages of a probe.
const (
	waitingForSlot int32 = iota
	readingSecrets
	waitingForLogin // of another probe; nothing has been sent
	sending
)

// minTimeout is the minimum timeout for a judgement of the HMP.
const minTimeout = time.Second

// isShort reports whether a scrape is short: it leaves a probe of s less than minTimeout and
// less than the target's timeout.
func isShort(timeout time.Duration, s *session) bool {
	return timeout < min(minTimeout, s.target.Timeout)
}

// join returns the probe of s that is under way, or a new one that the caller must start. If
// the session's configuration has changed, the old probe goes on for its callers.
func (c *Collector) join(s *session, start time.Time, timeout time.Duration) (p *sharedProbe, isNew bool) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if p := s.state.probe; p != nil && p.session.Same(s.Session) { // also with the same settings of the target
		return p, false
	}
	p = &sharedProbe{collector: c, session: s, start: start, timeout: timeout, done: make(chan struct{})}
	if isShort(timeout, s) {
		// The probe has the full timeout, so that a later scrape can share its result.
		p.short, p.timeout = true, s.target.Timeout
	}
	// If a probe started after half of its time, it could time out although the HMP works.
	p.waiter = waiter{
		limiter: s.target.limiter, order: s.state.order(),
		since: start, startBy: start.Add(p.timeout / 2), task: p,
	}
	s.state.probe = p
	return p, true
}

func (p *sharedProbe) deadline() time.Time { return p.start.Add(p.timeout) }

// A caller is a scrape that waits for a probe.
type caller struct {
	index   int // of its result in the answer to the scrape
	probe   *sharedProbe
	session *session
	start   time.Time
	timeout time.Duration
}

// maxResultDelay is how much longer a scrape waits for a probe whose deadline is not later. The
// probe may know what happened, and the scrape only knows that its time is over.
const maxResultDelay = 25 * time.Millisecond

func (c *caller) deadline() time.Time { return c.start.Add(c.timeout) }

// wait returns the result of the probe. At the caller's deadline, and maxResultDelay later at
// most, it returns what is known of a probe that goes on. isFinal is false if a new probe could
// say more, because the caller has more time than the scrape that started this one.
func (c *caller) wait() (r Result, isFinal bool) {
	p, until := c.probe, c.deadline()
	if !until.Before(p.deadline()) {
		until = until.Add(maxResultDelay)
	}
	if !waitUntil(p.done, until) {
		return c.deadlineResult(), true
	}
	r = *p.result
	if !r.Valid() {
		left := time.Until(c.deadline())
		moreTime := r.outOfTime() && left > r.Timeout                           // timeout or saturated
		mayLogIn := p.short && c.session.KeyMode() && !isShort(left, c.session) // a short probe may not
		if moreTime || mayLogIn {
			return r, false
		}
	}
	switch {
	case isShort(c.timeout, c.session):
		r.Timeout = c.timeout // the probe has the full timeout
	case p.short:
		c.session.state.record(p) // the first such caller; then it does nothing
	}
	return r, true
}

// retry joins other probes until a result is final.
func (c *caller) retry() Result {
	for collector := c.probe.collector; ; {
		p, isNew := collector.join(c.session, time.Now(), time.Until(c.deadline()))
		c.probe = p
		if isNew {
			collector.limiter.enqueue(&p.waiter)
		} else {
			collector.metrics.coalesced.Inc()
		}
		if r, isFinal := c.wait(); isFinal {
			return r
		}
	}
}

// deadlineResult returns the result for a caller whose deadline is over before its probe ends.
func (c *caller) deadlineResult() Result {
	p := c.probe
	var report *token.Report
	switch p.stage.Load() {
	case waitingForSlot:
		report = p.notStarted(p.waiter.limiter.hangs(c.start))
	case readingSecrets:
		report = p.localReport(hmp.Credentials, "the files with the secrets could not be read in time")
	case waitingForLogin:
		report = p.localReport(hmp.Timeout, token.LoginTimedOut.Reason)
		report.Skipped = true
	default:
		report = p.localReport(hmp.Timeout, "")
		report.StatusCode = int(p.status.Load())
		report.Responded = report.StatusCode != 0
	}
	r := p.newResult(c.start, report)
	r.Timeout = c.timeout
	c.session.state.setCounters(r)
	return *r
}

// waitUntil returns whether done was closed before a time.
func waitUntil(done <-chan struct{}, until time.Time) bool {
	select {
	case <-done: // most probes of a large scrape end before the wait for them begins
		return true
	default:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
