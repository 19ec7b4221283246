package collector

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// A state is what is known of a session from one probe to the next, and from one
// configuration to the next.
//
// It follows the newest result of a probe that had time: a probe that started earlier never
// replaces the result of one that started later.
type state struct {
	mu           sync.Mutex
	probe        *sharedProbe // the one under way
	last         *Result      // nil before the first probe
	timedOutAt   time.Time    // when the last probe timed out, unless a later one did not
	unansweredAt time.Time    // when the HMP last did not answer, unless a later result is valid
	history      history
	rotations    int32              // see [Result.Rotations]
	logins       map[hmp.Result]int // see [Logins.Counts]
	logged       loggedFailure
}

// finish counts what was a part of a probe and completes its result, which nobody may
// change afterwards. New scrapes do not share the probe any more. For a valid result, it
// returns when the HMP last did not answer, if it did not since the valid result before.
func (s *state) finish(p *sharedProbe) (silent time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countLocked(p.result)
	s.setCountersLocked(p.result)
	p.superseded = s.probe != p
	if !p.superseded {
		s.probe = nil
	}
	switch r := p.result; {
	case r.Result == hmp.Timeout && !r.Skipped:
		s.timedOutAt = time.Now()
	case r.sent():
		s.timedOutAt = time.Time{}
	}
	switch r := p.result; {
	case p.brief:
	case r.Valid():
		silent, s.unansweredAt = s.unansweredAt, time.Time{}
	case r.unanswered() || r.sent() && !r.Responded:
		s.unansweredAt = time.Now()
	}
	return silent
}

// count counts what was a part of one probe.
func (s *state) countLocked(r *Result) {
	if r.Rotated {
		s.rotations++
	}
	if r.Logins != nil && r.Logins.Last != "" {
		s.logins = maps.Clone(s.logins) // results have the one before
		if s.logins == nil {
			s.logins = make(map[hmp.Result]int)
		}
		s.logins[r.Logins.Last]++
	}
}

// complete puts into a result what was counted.
func (s *state) setCountersLocked(r *Result) {
	r.Rotations = s.rotations
	if r.Logins != nil {
		r.Logins.Counts = s.logins
	}
}

// completeLate is complete for a result that is not that of a probe.
func (s *state) setCounters(r *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setCountersLocked(r)
}

// record keeps the result of a probe that has finished and logs what has changed. It does
// so once for a probe, and not for one that is older than what is kept or superseded by a
// probe of a newer configuration.
func (s *state) record(p *sharedProbe, logger log.Logger) {
	r := p.result
	s.mu.Lock()
	before := s.last
	if p.superseded || before == r || before != nil && r.Start.Before(before.Start) {
		s.mu.Unlock()
		return
	}
	s.last = r
	s.history.add(r)
	change := s.logged.update(r)
	s.mu.Unlock()
	if r.Logins != nil && r.Logins.Last != "" {
		_ = level.Debug(logger).Log("msg", "login", "target", r.Target, "session", r.Session, "result", LoginResult(r.Logins.Last))
	}
	if change {
		logChange(logger, before, r)
	}
}

// loginStatus is how the logins of the session stood after its last probe.
func (s *state) loginStatus() token.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.last.Logins == nil {
		return token.Status{}
	}
	return s.last.Logins.Status
}

// isNew tells whether there is no result yet.
func (s *state) isNew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last == nil
}

// crashed tells whether the last probe did.
func (s *state) lastPanicked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last != nil && s.last.Panicked
}

// reasonPause is how long a session is silent about a reason that changes while its result
// stays.
const reasonLogInterval = time.Minute

// A loggedFailure is what the log said last of a session.
type loggedFailure struct {
	result    hmp.Result
	suspended bool
	reason    string
	at        time.Time
}

// change tells whether a result is to be logged: a session that fails for a month is one
// line, not one for every scrape, unless its reason changes.
func (l *loggedFailure) update(r *Result) bool {
	if r.Panicked { // it has a line of its own
		*l = loggedFailure{}
		return false
	}
	next := loggedFailure{result: r.Result, suspended: r.suspended(), reason: withoutDigits(r.Reason), at: r.Start}
	switch {
	case next.result != l.result, next.suspended && !l.suspended:
	case next.reason != l.reason && !r.Valid() && r.Start.Sub(l.at) >= reasonLogInterval:
	default:
		l.suspended = next.suspended
		return false
	}
	*l = next
	return true
}

// withoutDigits takes out of a reason what can differ from probe to probe: ports and times.
func withoutDigits(reason string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, reason)
}

// logChange says what changed.
func logChange(logger log.Logger, before, r *Result) {
	switch {
	case !r.Valid():
		_ = level.Warn(logger).Log(failure(r)...)
	case before == nil:
		_ = level.Debug(logger).Log("msg", "session is valid", "target", r.Target, "session", r.Session)
	default:
		_ = level.Info(logger).Log("msg", "session is valid again", "target", r.Target, "session", r.Session, "was", before.ResultName())
	}
}

// failure says all that is known about a result that is not valid, as keys and values.
func failure(r *Result) []any {
	info := r.Result.Info()
	pairs := []any{"msg", "session is not valid", "target", r.Target, "session", r.Session, "result", string(r.Result), "meaning", info.Meaning}
	if r.StatusCode != 0 {
		pairs = append(pairs, "status", r.StatusCode)
	}
	if r.Code != "" {
		pairs = append(pairs, "code", string(r.Code))
	}
	if r.Reason != "" {
		pairs = append(pairs, "reason", r.Reason)
	}
	return append(pairs, "advice", info.Advice)
}
