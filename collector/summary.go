package collector

import "time"

// A Summary is the status of one session in a list of many.
type Summary struct {
	Target, Session string
	// ResultName is the last result, see [Result.ResultName].
	ResultName string
	// Start and Duration are those of the last probe. Since is when the current streak of
	// its result began. They are zero before the first probe.
	Start, Since time.Time
	Duration     time.Duration
}

// Summaries returns a summary of every session in the order of the configuration. It
// does not probe.
func (c *Collector) Summaries() []Summary {
	var summaries []Summary
	for _, s := range c.snapshot.Load().sessions {
		summaries = append(summaries, s.summary())
	}
	return summaries
}

func (s *session) summary() Summary {
	summary := Summary{Target: s.target.Name, Session: s.Name}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if r := s.state.last; r != nil {
		summary.ResultName, summary.Start, summary.Duration = r.ResultName(), r.Start, r.Duration
		summary.Since = s.state.history.streaks.last().First
	}
	return summary
}

// A History is the history of a session. All lists begin with the newest.
type History struct {
	// Last is the last result. Before the first probe it has only the names.
	Last    Result
	Points  []Point
	Streaks []Streak
	// Failures are the last results that were not valid, without skipped probes. Last can
	// be one of them.
	Failures []Result
	// CertificateExpiry comes from the last probe that saw a certificate. It may be zero.
	CertificateExpiry time.Time
}

// History returns the history of a session. It does not probe. The error is an
// [ErrUnknownTarget] or [ErrUnknownSession].
func (c *Collector) History(target, name string) (History, error) {
	s, err := c.snapshot.Load().session(target, name)
	if err != nil {
		return History{}, err
	}
	var h History
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	kept := &s.state.history
	for _, p := range kept.points.newestFirst() {
		h.Points = append(h.Points, p.point())
	}
	h.Streaks = kept.streaks.newestFirst()
	h.CertificateExpiry = kept.certificateExpiry
	h.Last = Result{Target: s.target.Name, Session: s.Name}
	if s.state.last != nil {
		h.Last = s.redacted(s.state.last)
	}
	for _, r := range kept.failures.newestFirst() {
		h.Failures = append(h.Failures, s.redacted(r))
	}
	return h, nil
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
	}
	addVersions(results, sessions)
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
