package collector

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/internal/hmp"
)

// A state is the state of a session from probe to probe and across reloads.
//
// A probe that started earlier never replaces the result of one that started later. Brief
// probes do not count.
type state struct {
	mu         sync.Mutex
	probe      *sharedProbe // the one under way
	last       *Result      // nil before the first probe
	timedOutAt time.Time    // when the last probe timed out, unless a later one did not
	history    history
	rotations  int32              // see [Result.Rotations]
	logins     map[hmp.Result]int // see [Logins.Counts]
	logged     loggedFailure
}

// finish counts the events of a probe and sets the counters of its result. Nobody may change
// the result afterwards. New scrapes no longer share the probe.
func (s *state) finish(p *sharedProbe) {
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
	p.superseded = s.probe != p
	if !p.superseded {
		s.probe = nil
	}
	switch r.feedback() {
	case timedOut:
		s.timedOutAt = time.Now()
	case answered:
		s.timedOutAt = time.Time{}
	}
}

// setCountersLocked sets the counters of a result.
func (s *state) setCountersLocked(r *Result) {
	r.Rotations = s.rotations
	if r.Logins != nil {
		r.Logins.Counts = s.logins
	}
}

// record records the result of a probe that has finished and logs a change. It does so once
// per probe. It ignores a probe that is older than the last result, or that a probe of a
// newer configuration supersedes. It returns whether the session is valid again.
func (s *state) record(p *sharedProbe) (recovered bool) {
	r, logger := p.result, p.collector.options.Logger
	s.mu.Lock()
	before := s.last
	if p.superseded || before == r || before != nil && r.Start.Before(before.Start) {
		s.mu.Unlock()
		return false
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
	return before != nil && !before.Valid() && r.Valid()
}

// lastResult returns the last recorded result, nil before the first.
func (s *state) lastResult() *Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// reasonLogInterval is the minimum time between two log lines of a session whose reason
// changes while its result stays.
const reasonLogInterval = time.Minute

// A loggedFailure is the last log line about a session.
type loggedFailure struct {
	result    hmp.Result
	suspended bool
	reason    string
	at        time.Time
}

// update reports whether to log a result. A session that fails for a month gets one line,
// not one per scrape, unless its reason changes.
func (l *loggedFailure) update(r *Result) bool {
	if r.Panicked { // the panic has its own log line
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

// withoutDigits removes ports and times from a reason, which differ from probe to probe.
func withoutDigits(reason string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, reason)
}

// logChange logs a changed result.
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

// failure returns the keys and values of the log line about a result that is not valid.
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
