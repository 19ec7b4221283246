package collector

import (
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/internal/hmp"
)

// state is what lasts of a session from one probe to the next, and from one
// configuration to the next.
type state struct {
	mu   sync.Mutex
	last Result // with what was counted up to it; zero before the first probe
}

// conclude takes the result of a probe in and completes it with what was counted.
func (s *state) conclude(r *Result, logger log.Logger) {
	s.mu.Lock()
	r.Rotations = s.last.Rotations
	if r.Rotated {
		r.Rotations++
	}
	before := s.last.Outcome
	s.last = *r
	s.mu.Unlock()
	if r.Outcome != before {
		logChange(logger, before, r)
	}
}

// logChange says once what changed: a session that fails for a month is one line,
// not one for every scrape.
func logChange(logger log.Logger, before hmp.Outcome, r *Result) {
	switch {
	case !r.Valid():
		_ = level.Warn(logger).Log(failure(r)...)
	case before == "":
		_ = level.Debug(logger).Log("msg", "session is valid", "target", r.Target, "session", r.Session)
	default:
		_ = level.Info(logger).Log("msg", "session is valid again", "target", r.Target, "session", r.Session, "was", string(before))
	}
}

// failure says all that is known about a result that is not valid, as keys and values.
func failure(r *Result) []any {
	info := r.Outcome.Info()
	pairs := []any{"msg", "session is not valid", "target", r.Target, "session", r.Session, "result", string(r.Outcome), "meaning", info.Meaning}
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

func (s *state) lastResult() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
