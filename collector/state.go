package collector

import (
	"maps"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/internal/hmp"
)

// state is what lasts of a session from one probe to the next, and from one
// configuration to the next.
type state struct {
	mu        sync.Mutex
	last      *Result // nil before the first probe
	history   history
	rotations int                // see [Result.Rotations]
	logins    map[hmp.Result]int // see [Logins.Counts]
}

// conclude takes the result of a probe in and completes it with what was counted. It
// keeps it: nobody may change it afterwards.
func (s *state) conclude(r *Result, logger log.Logger) {
	s.mu.Lock()
	s.count(r)
	s.complete(r)
	before := s.last
	s.last = r
	s.history.add(r)
	s.mu.Unlock()
	if before == nil {
		before = new(Result)
	}
	if r.Logins != nil && r.Logins.Last != "" {
		_ = level.Debug(logger).Log("msg", "login", "target", r.Target, "session", r.Session, "result", loginResult(r.Logins.Last))
	}
	if !r.Crashed && (r.Result != before.Result || r.suspended() && !before.suspended()) {
		logChange(logger, before, r)
	}
}

// count counts what was a part of one probe.
func (s *state) count(r *Result) {
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
func (s *state) complete(r *Result) {
	r.Rotations = s.rotations
	if r.Logins != nil {
		r.Logins.Counts = s.logins
	}
}

// tally completes a result that is not a probe's own.
func (s *state) tally(r *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete(r)
}

// logChange says once what changed: a session that fails for a month is one line,
// not one for every scrape.
func logChange(logger log.Logger, before, r *Result) {
	was := before.ResultName()
	switch {
	case !r.Valid():
		_ = level.Warn(logger).Log(failure(r)...)
	case was == "":
		_ = level.Debug(logger).Log("msg", "session is valid", "target", r.Target, "session", r.Session)
	default:
		_ = level.Info(logger).Log("msg", "session is valid again", "target", r.Target, "session", r.Session, "was", was)
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

// crashed tells whether the last probe did.
func (s *state) crashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last != nil && s.last.Crashed
}
