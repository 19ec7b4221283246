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
	mu        sync.Mutex
	rotations int
	last      Result // zero before the first probe
}

// conclude takes the result of a probe in and completes it with what was counted.
func (s *state) conclude(r *Result, logger log.Logger) {
	s.mu.Lock()
	if r.Rotated {
		s.rotations++
	}
	r.Rotations = s.rotations
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
	logger = log.With(logger, "target", r.Target, "session", r.Session, "result", string(r.Outcome))
	switch {
	case r.Valid() && before == "":
		_ = level.Debug(logger).Log("msg", "session is valid")
	case r.Valid():
		_ = level.Info(logger).Log("msg", "session is valid again", "was", string(before))
	default:
		if r.StatusCode != 0 {
			logger = log.With(logger, "status", r.StatusCode)
		}
		if r.Code != "" {
			logger = log.With(logger, "code", string(r.Code))
		}
		if r.Reason != "" {
			logger = log.With(logger, "reason", r.Reason)
		}
		info := r.Outcome.Info()
		_ = level.Warn(logger).Log("msg", "session is not valid", "meaning", info.Meaning, "advice", info.Advice)
	}
}

func (s *state) lastResult() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *state) counted() (rotations int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rotations
}
