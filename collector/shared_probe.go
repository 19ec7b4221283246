package collector

import (
	"cmp"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"hmp_exporter/internal/hmp"
)

// A sharedProbe is a probe under way, for all scrapes that want its session meanwhile.
//
// There is one for each session, and it belongs to the name of the session: also across a
// reload, an HMP sees one probe of a session at a time. It has a goroutine of its own. Who
// waits for it waits until a deadline of its own, and no longer.
type sharedProbe struct {
	collector *Collector
	session   *session
	start     time.Time
	timeout   time.Duration
	order     int64 // among the probes of a target that are started together

	slot      slot
	secrets   secrets
	confirmed confirmedTokens

	// brief tells that the scrape it was started for leaves too little time to be heard: it
	// starts no login, and leaves no trace unless another scrape waits for it.
	brief bool

	stage  atomic.Int32 // how far it has come
	status atomic.Int64 // of the last response, once there is one

	// What follows is there once done is closed.
	done       chan struct{}
	result     *Result // not a part of this: the history keeps results only
	superseded bool    // a probe of a newer configuration has begun before it ended
}

// The stages of a probe.
const (
	waitingForSlot int32 = iota
	readingSecrets
	probing
)

// minTime is how much time a scrape has to leave a probe to be heard, unless the timeout
// of the target is shorter.
const minTime = time.Second

// join returns the probe of s that is under way, or a new one that has to be started. One
// of a session that was configured in another way goes on for those who wait for it.
func (c *Collector) join(s *session, start time.Time, within time.Duration) (p *sharedProbe, isNew bool) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if p := s.state.probe; p != nil && p.session.Same(s.Session) {
		return p, false
	}
	p = &sharedProbe{
		collector: c, session: s, start: start, timeout: within,
		order: s.state.order(), done: make(chan struct{}),
	}
	if isBrief(within, s) {
		// A probe as any other, so that a scrape that comes meanwhile can have its result.
		p.brief, p.timeout = true, s.target.Timeout
	}
	s.state.probe = p
	return p, true
}

func isBrief(within time.Duration, s *session) bool { return within < min(minTime, s.target.Timeout) }

// order tells where a new probe stands among those that are started together: those whose
// HMP answered last time begin, in the order of the configuration. Those that timed out are
// last, the ones that waited longest for another chance before the others. Those that never
// had one stand between, by chance: so none of them is always behind one that hangs.
func (s *state) order() int64 {
	switch {
	case !s.timedOutAt.IsZero():
		return s.timedOutAt.UnixNano()
	case s.last == nil || s.last.unanswered():
		return 1 + rand.Int64N(1000) //nolint:gosec // it guards nothing
	default:
		return 0
	}
}

func (p *sharedProbe) compare(other *sharedProbe) int { return cmp.Compare(p.order, other.order) }

func (p *sharedProbe) deadline() time.Time { return p.start.Add(p.timeout) }

// limit implements waiter.
func (p *sharedProbe) limit() *targetLimit { return p.session.target.limit }

// slow implements waiter.
func (p *sharedProbe) slow() bool { return p.order > 1000 }

// since implements waiter.
func (p *sharedProbe) queuedSince() time.Time { return p.start }

// latest implements waiter. A probe that began in the last moment would tell of an HMP that
// it did not answer.
func (p *sharedProbe) startBy() time.Time { return p.start.Add(p.timeout / 2) }

// granted implements waiter. The goroutine of a probe that has ended starts the next one:
// it has a stack that is large enough.
func (p *sharedProbe) granted() {
	go func() {
		for next := p; next != nil; {
			next, _ = next.run().(*sharedProbe)
		}
	}()
}

// refused implements waiter.
func (p *sharedProbe) refused(hangs bool) { p.finish(p.newResult(p.start, p.notStarted(hangs))) }

// finish completes the result and ends the probe.
func (p *sharedProbe) finish(r Result) {
	p.result = &r
	state := p.session.state
	silent := state.finish(p)
	if !p.brief {
		state.record(p, p.collector.options.Logger)
	}
	p.requestVersion(silent)
	close(p.done)
}

// A call is what one scrape wants of a probe.
type call struct {
	probe   *sharedProbe
	session *session
	start   time.Time
	timeout time.Duration
	leader  bool // the probe was started for it
}

// grace is how much longer than its deadline a scrape waits for a probe that ends then: it
// has more to tell than that its time ran out.
const grace = 25 * time.Millisecond

// wait returns the result of a call when there is one, and at its deadline at the latest.
func (c *Collector) wait(call *call, timer *deadlineTimer) Result {
	deadline := call.start.Add(call.timeout)
	brief := isBrief(call.timeout, call.session)
	for {
		p := call.probe
		if !call.leader {
			c.metrics.coalesced.Inc()
		}
		until := deadline
		if !deadline.Before(p.deadline()) {
			until = deadline.Add(grace)
		}
		if !timer.wait(p.done, until) {
			r := p.deadlineResult(call)
			call.session.state.setCounters(&r)
			return r
		}
		left := time.Until(deadline)
		if p.brief && !brief {
			if !p.result.Valid() && !isBrief(left, call.session) {
				c.rejoin(call, left) // a probe that may log in can tell more
				continue
			}
			call.session.state.record(p, c.options.Logger)
		}
		if p.result.outOfTime() && left > p.result.Timeout {
			c.rejoin(call, left) // a probe with more time can tell more
			continue
		}
		r := *p.result
		if brief {
			r.Timeout = call.timeout // and not that of the probe, which goes on for others
		}
		return r
	}
}

// rejoin gives a call another probe, for the time that is left.
func (c *Collector) rejoin(call *call, left time.Duration) {
	call.probe, call.leader = c.join(call.session, time.Now(), left)
	if call.leader {
		c.start([]*sharedProbe{call.probe})
	}
}

// late is the result for a scrape that cannot wait for p any longer.
func (p *sharedProbe) deadlineResult(call *call) Result {
	var told report
	switch p.stage.Load() {
	case waitingForSlot:
		told = p.notStarted(p.limit().isHanging(call.start))
	case readingSecrets:
		told = p.localReport(hmp.Credentials, "the files with the secrets could not be read in time")
	default:
		told = p.localReport(hmp.Timeout, "")
		told.StatusCode = int(p.status.Load())
		told.Responded = told.StatusCode != 0
	}
	r := p.newResult(call.start, told)
	r.Timeout = call.timeout
	return r
}

// A deadlineTimer is a timer for many waits, most of which end before it.
type deadlineTimer struct {
	timer *time.Timer
	at    time.Time
}

// wait reports whether done was closed before a deadline.
func (t *deadlineTimer) wait(done <-chan struct{}, until time.Time) bool {
	select {
	case <-done:
		return true
	default:
	}
	switch {
	case t.timer == nil:
		t.timer = time.NewTimer(time.Until(until))
	case !t.at.Equal(until):
		t.timer.Reset(time.Until(until))
	}
	t.at = until
	select {
	case <-done:
		return true
	case <-t.timer.C:
		t.at = time.Time{}
		return false
	}
}

func (t *deadlineTimer) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}
