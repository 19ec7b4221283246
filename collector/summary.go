package collector

import "time"

// A Summary is what there is to see of one session among many.
type Summary struct {
	Target, Session string
	// ResultName is the last result, see [Result.ResultName].
	ResultName string
	// Start and Duration are those of the last probe, Since is when its result was
	// first seen of those in a row. They are zero before the first probe.
	Start, Since time.Time
	Duration     time.Duration
}

// Summaries returns one for every session in the order of the configuration, without
// probing.
func (c *Collector) Summaries() []Summary {
	var summaries []Summary
	for _, s := range c.snapshot.Load().sessions {
		summaries = append(summaries, s.summary())
	}
	return summaries
}

func (s *session) summary() Summary {
	g := Summary{Target: s.target.Name, Session: s.Name}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if r := s.state.last; r != nil {
		g.ResultName, g.Start, g.Duration = r.ResultName(), r.Start, r.Duration
		g.Since = s.state.history.streaks.last().First
	}
	return g
}

// A History is what is kept of a session. All lists begin with the newest.
type History struct {
	// Last is the last result. It has only the names before the first probe.
	Last    Result
	Points  []Point
	Streaks []Streak
	// Failures are the last results that were not valid, without those that sent nothing
	// because logins are held back. The last result can be one of them.
	Failures []Result
	// CertificateExpiry is that of the last probe that saw a certificate; zero without one.
	CertificateExpiry time.Time
}

// History returns that of a session, without probing. The error is an
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
	for _, d := range kept.points.newestFirst() {
		h.Points = append(h.Points, d.point())
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

// Last returns the last result of every session in the order of the configuration, without
// probing. A result has only the names before the first probe.
func (c *Collector) Last() []Result {
	sessions := c.snapshot.Load().sessions
	results := make([]Result, len(sessions))
	for i, s := range sessions {
		s.state.mu.Lock()
		last := s.state.last
		s.state.mu.Unlock()
		if last == nil {
			last = &Result{Target: s.target.Name, Session: s.Name}
		}
		results[i] = s.redacted(last)
	}
	return results
}

// shown returns a result as the configuration in force allows to show it: the texts of
// service messages may have been allowed when it was made.
func (s *session) redacted(r *Result) Result {
	shown := *r
	if !s.target.ServiceMessageText {
		shown.Details.MessageTexts = nil
	}
	return shown
}
