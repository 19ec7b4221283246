package collector

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// Rule: one session has one probe under way, also across a reload. The probe belongs to the
// name of the session. All scrapes that want the session share the probe.
//
// Rule: a probe has a goroutine of its own. Each caller waits until the caller's own
// deadline, and no longer. So a file, a disk or a panic that hangs holds no scrape.

// A sharedProbe is a probe under way.
type sharedProbe struct {
	collector *Collector
	session   *session
	start     time.Time
	timeout   time.Duration

	waiter  waiter
	slot    slot
	secrets secrets
	report  report // of a session without an API key
	// The tokens of the session that HMP confirmed last: the one that was sent, and the one
	// to send next.
	sent, confirmed secret.Value

	// brief is true if its scrape had too little time to judge the HMP (see minTime). A
	// brief probe sends no login. It is not logged or recorded unless another scrape
	// waits for it.
	brief bool

	stage  atomic.Int32
	status atomic.Int64 // of the last response, 0 before the first

	// The fields below are set once done is closed.
	done       chan struct{}
	result     *Result // a pointer, because the history keeps it without the probe
	superseded bool    // a probe of a newer configuration began before this one ended
}

// The stages of a probe.
const (
	waitingForSlot int32 = iota
	readingSecrets
	probing
)

// minTime is the minimum time for a probe that is not brief, unless the timeout of the
// target is shorter.
const minTime = time.Second

// join returns the probe of s that is under way, or a new one that the caller must start. If
// the session's configuration has changed, the old probe goes on for its callers.
func (c *Collector) join(s *session, start time.Time, timeout time.Duration) (p *sharedProbe, isNew bool) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if p := s.state.probe; p != nil && p.session.Same(s.Session) {
		return p, false
	}
	p = &sharedProbe{collector: c, session: s, start: start, timeout: timeout, done: make(chan struct{})}
	if isBrief(timeout, s) {
		// It gets the full timeout, so that a later scrape can share its result.
		p.brief, p.timeout = true, s.target.Timeout
	}
	// If a probe started after half of its time, it could time out although the HMP works.
	p.waiter = waiter{
		limit: s.target.limit, order: s.state.order(),
		since: start, startBy: start.Add(p.timeout / 2), task: p,
	}
	s.state.probe = p
	return p, true
}

func isBrief(timeout time.Duration, s *session) bool {
	return timeout < min(minTime, s.target.Timeout)
}

// order returns the position of a new probe among others that start together. First come
// the sessions that answered last time, in the order of the configuration. Last come the
// sessions that timed out, the earliest timeout first. Sessions without an answer or a
// timeout come between, in random order: so none of them is always behind one that hangs.
func (s *state) order() int64 {
	switch {
	case !s.timedOutAt.IsZero():
		return s.timedOutAt.UnixNano()
	case s.last == nil || s.last.unanswered():
		return 1 + rand.Int64N(1000) //nolint:gosec // not for security
	default:
		return 0
	}
}

func (p *sharedProbe) deadline() time.Time { return p.start.Add(p.timeout) }

// finish completes the result. It returns whether a version request is to follow. The caller
// then closes done.
func (p *sharedProbe) finish(r *Result) (requestVersion bool) {
	p.result = r
	p.session.state.finish(p)
	if p.brief {
		return false
	}
	recovered := p.session.state.record(p)
	return r.Valid() && p.session.target.version.begin(recovered)
}

// A call is one scrape's share of a probe.
type call struct {
	probe   *sharedProbe
	session *session
	start   time.Time
	timeout time.Duration
}

// grace is how much longer a scrape waits for a probe with the same deadline. The probe may
// know what happened, and the scrape only knows that its time is over.
const grace = 25 * time.Millisecond

// wait returns the result of a call, at its deadline and grace at the latest.
func (c *Collector) wait(call *call) Result {
	deadline := call.start.Add(call.timeout)
	brief := isBrief(call.timeout, call.session)
	for {
		p := call.probe
		until := deadline
		if !deadline.Before(p.deadline()) {
			until = deadline.Add(grace)
		}
		if !waitUntil(p.done, until) {
			return p.deadlineResult(call)
		}
		if p.brief && !brief {
			if left := time.Until(deadline); !p.result.Valid() && !isBrief(left, call.session) {
				c.rejoin(call, left) // a probe that may log in can say more
				continue
			}
			call.session.state.record(p)
		}
		if p.result.outOfTime() {
			if left := time.Until(deadline); left > p.result.Timeout {
				c.rejoin(call, left) // a probe with more time can say more
				continue
			}
		}
		r := *p.result
		if brief {
			r.Timeout = call.timeout // the probe has the full timeout
		}
		return r
	}
}

// rejoin gives a call another probe, for the time that is left.
func (c *Collector) rejoin(call *call, left time.Duration) {
	p, isNew := c.join(call.session, time.Now(), left)
	call.probe = p
	if isNew {
		c.limiter.enqueue(&p.waiter)
	} else {
		c.metrics.coalesced.Inc()
	}
}

// deadlineResult returns the result for a scrape whose deadline is over before p ends.
func (p *sharedProbe) deadlineResult(call *call) Result {
	var told *report
	switch p.stage.Load() {
	case waitingForSlot:
		told = p.notStarted(p.waiter.limit.isHanging(call.start))
	case readingSecrets:
		told = p.localReport(hmp.Credentials, "the files with the secrets could not be read in time")
	default:
		told = p.localReport(hmp.Timeout, "")
		told.StatusCode = int(p.status.Load())
		told.Responded = told.StatusCode != 0
	}
	r := p.newResult(call.start, told)
	r.Timeout = call.timeout
	state := call.session.state
	state.mu.Lock()
	defer state.mu.Unlock()
	state.setCountersLocked(r)
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
