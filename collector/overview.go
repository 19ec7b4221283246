package collector

import "time"

// A Summary is what there is to see of one session among many.
type Summary struct {
	Target, Session string
	// Word is the last result, see [Result.ResultName].
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
	for _, members := range c.fleet.Load().targets {
		for _, m := range members {
			summaries = append(summaries, m.summary())
		}
	}
	return summaries
}

func (m *member) summary() Summary {
	g := Summary{Target: m.target.Name, Session: m.session.Name}
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	if r := m.state.last; r != nil {
		g.ResultName, g.Start, g.Duration = r.ResultName(), r.Start, r.Duration
		g.Since = m.state.history.streaks.last().First
	}
	return g
}

// A History is what is kept of a session. All lists begin with the newest.
type History struct {
	// Last is the last result. It has only the names before the first probe.
	Last    Result
	Points  []Point
	Streaks []Streak
	// Recent and Failures are whole results: of the last probes, and of the last ones
	// that failed, but for those that sent nothing because logins are held back.
	Recent, Failures []Result
}

// History returns that of a session, without probing. The error is an
// [ErrUnknownTarget] or [ErrUnknownSession].
func (c *Collector) History(target, name string) (History, error) {
	m, err := c.fleet.Load().find(target, name)
	if err != nil {
		return History{}, err
	}
	var h History
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	kept := &m.state.history
	for _, d := range kept.points.newestFirst() {
		h.Points = append(h.Points, d.point())
	}
	h.Streaks = kept.streaks.newestFirst()
	h.Recent, h.Failures = m.shown(kept.recent.newestFirst()), m.shown(kept.failures.newestFirst())
	h.Last = Result{Target: m.target.Name, Session: m.session.Name}
	if len(h.Recent) > 0 {
		h.Last = h.Recent[0]
	}
	return h, nil
}

// shown returns results as the configuration in force allows to show them: the texts
// of service messages may have been allowed when they were made.
func (m *member) shown(results []*Result) []Result {
	list := make([]Result, len(results))
	for i, r := range results {
		list[i] = *r
		if !m.target.ServiceMessageText {
			list[i].Details.MessageTexts = nil
		}
	}
	return list
}
