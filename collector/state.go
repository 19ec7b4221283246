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
	timedOutAt time.Time          // when a probe last timed out; zero once a later one has ended in time
}

// order returns the position of a new probe among others that start together. First come the
// sessions that were saturated, so that not always the same ones lack a slot. Then come those
// whose last probe ended in time, in the order of the configuration. Last come the sessions that
// timed out, the earliest timeout first. Sessions that were never asked, or not because HMP
// hung, come between, in random order: so none of them is always behind one that hangs.
func (s *state) order() int64 {
	switch {
	case s.last != nil && s.last.Result == hmp.Saturated:
		return -1
	case !s.timedOutAt.IsZero():
		return s.timedOutAt.UnixNano()
	case s.last == nil || s.last.skippedAsHung():
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
	if r.Rotated { // the answer had another token than the request
		s.rotations++
	}
	if r.Logins != nil && r.Logins.InProbe != "" {
		s.logins = maps.Clone(s.logins) // earlier results share the map
		if s.logins == nil {
			s.logins = make(map[hmp.Result]int)
		}
		s.logins[r.Logins.InProbe]++
	}
	s.setCountersLocked(r)
	p.detached = s.probe != p
	if !p.detached {
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
// does so once per probe. It ignores a probe that started before the last result, or that the
// session no longer shared. It returns whether the session is valid again.
func (s *state) record(p *sharedProbe) (validAgain bool) {
	r := p.result
	s.mu.Lock()
	before := s.last
	if p.detached || before == r || before != nil && r.Start.Before(before.Start) {
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
