package collector

import (
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
)

// A state is what is known of a session from probe to probe and across reloads.
type state struct {
	mu         sync.Mutex
	probe      *sharedProbe // the one under way
	last       *Result      // the last one that was recorded, nil before the first
	history    history
	logged     logged
	rotations  int32              // see [Result.Rotations]
	logins     map[hmp.Result]int // see [Logins.Counts]
	timedOutAt time.Time          // when the last probe timed out, unless a later one did not
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

// probeEnded counts the events of a probe and sets the counters of its result. Nobody may
// change the result afterwards. Later scrapes do not share the probe.
func (s *state) probeEnded(p *sharedProbe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := p.result
	if r.Rotated {
		s.rotations++
	}
	if r.Logins != nil && r.Logins.Last != "" {
		s.logins = maps.Clone(s.logins) // earlier results share the map
		if s.logins == nil {
			s.logins = make(map[hmp.Result]int)
		}
		s.logins[r.Logins.Last]++
	}
	s.setCountersLocked(r)
	p.replaced = s.probe != p
	if !p.replaced {
		s.probe = nil
	}
	switch r.feedback() {
	case probeTimedOut:
		s.timedOutAt = time.Now()
	case answered:
		s.timedOutAt = time.Time{}
	}
}

// setCounters sets the counters of a result to those of the probes that have ended.
func (s *state) setCounters(r *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setCountersLocked(r)
}

func (s *state) setCountersLocked(r *Result) {
	r.Rotations = s.rotations
	if r.Logins != nil {
		r.Logins.Counts = s.logins
	}
}

// record puts the result of a probe that has ended into the history, and logs a change. It
// does so once per probe. It ignores a probe that started before the last result, or that a
// newer probe replaced. It returns whether the session is valid again.
func (s *state) record(p *sharedProbe) (validAgain bool) {
	r := p.result
	s.mu.Lock()
	before := s.last
	if p.replaced || before == r || before != nil && r.Start.Before(before.Start) {
		s.mu.Unlock()
		return false
	}
	s.last = r
	s.history.add(r)
	change := s.logged.update(r)
	s.mu.Unlock()
	logger := p.collector.options.Logger
	logLogin(logger, r)
	if change {
		logChange(logger, before, r)
	}
	return before != nil && !before.Valid() && r.Valid()
}

// lastResult returns the last recorded result, nil before the first.
func (s *state) lastResult() *Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Last returns the last result of every session in the order of the configuration. It does
// not probe. Before the first probe, a result has only the names.
func (c *Collector) Last() []Result {
	sessions := c.snapshot.Load().sessions
	results := make([]Result, len(sessions))
	for i, s := range sessions {
		last := s.state.lastResult()
		if last == nil {
			last = &Result{Target: s.target.Name, Session: s.Name}
		}
		results[i] = s.redacted(last)
		results[i].Version = s.target.version.known()
	}
	return results
}

// redacted returns a result without the texts of service messages, if the current
// configuration does not allow them. An earlier one may have allowed them.
func (s *session) redacted(r *Result) Result {
	result := *r
	if !s.target.ServiceMessageText {
		result.Details.MessageTexts = nil
	}
	return result
}
