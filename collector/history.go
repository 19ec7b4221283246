package collector

import (
	"math"
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
)

// Bounds of a session's history. It is in memory only, and ends with the process or the
// session. Use Prometheus for a longer history.
const (
	// MaxPoints is the maximum number of [Point] values.
	MaxPoints = 60
	// MaxStreaks is the maximum number of [Streak] values.
	MaxStreaks = 12
	// MaxFailures is the maximum number of failed results, beside the last result.
	MaxFailures = 3
)

// A Point summarizes one of the last probes.
type Point struct {
	Start      time.Time // to the second
	Duration   time.Duration
	ResultName string // see [Result.ResultName]
}

// A Streak is a number of consecutive probes with the same result.
type Streak struct {
	ResultName  string // see [Result.ResultName]
	First, Last time.Time
	Probes      int
}

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

// history is the history of a session. The lock of the session's state guards it.
//
// Memory per session: 1 kB for points and streaks, and 1 kB for each result with the headers
// of its exchanges. That is 2 kB for a valid session, and at most 6 kB with failures. Results
// are not copied.
type history struct {
	points            ring[compactPoint]
	streaks           ring[Streak]
	failures          ring[*Result] // without skipped probes
	certificateExpiry time.Time     // of the last probe that saw a certificate
}

// A compactPoint is a Point in 12 bytes.
type compactPoint struct {
	start    uint32 // in seconds since the epoch
	duration uint32 // in units of durationUnit
	result   int8   // index in hmp.Results, negative after a panic
}

const durationUnit = 10 * time.Microsecond

// add adds a result. Nobody may change the result from now on.
func (h *history) add(r *Result) {
	name := r.ResultName()
	h.points.add(newCompactPoint(r), MaxPoints)
	if !r.Valid() && !r.Skipped {
		h.failures.add(r, MaxFailures)
	}
	if !r.CertificateExpiry.IsZero() {
		h.certificateExpiry = r.CertificateExpiry
	}
	if s := h.streaks.last(); s != nil && s.ResultName == name {
		s.Last = r.Start
		s.Probes++
		return
	}
	h.streaks.add(Streak{ResultName: name, First: r.Start, Last: r.Start, Probes: 1}, MaxStreaks)
}

func newCompactPoint(r *Result) compactPoint {
	index := slices.IndexFunc(hmp.Results, func(i hmp.ResultInfo) bool { return i.Result == r.Result })
	return compactPoint{
		start:    uint32(max(0, min(r.Start.Unix(), math.MaxUint32))),
		duration: uint32(max(0, min(r.Duration/durationUnit, math.MaxUint32))),
		result:   int8(index), //nolint:gosec // there are few results
	}
}

func (c compactPoint) point() Point {
	p := Point{Start: time.Unix(int64(c.start), 0), Duration: time.Duration(c.duration) * durationUnit, ResultName: Panicked}
	if c.result >= 0 {
		p.ResultName = string(hmp.Results[c.result].Result)
	}
	return p
}

// A ring is a ring buffer. The zero value is empty.
type ring[T any] struct {
	items  []T
	oldest int
}

// add adds an item. If there are size items already, it replaces the oldest.
func (r *ring[T]) add(item T, size int) {
	if len(r.items) < size {
		r.items = append(r.items, item)
		return
	}
	r.items[r.oldest] = item
	r.oldest = (r.oldest + 1) % size
}

// last returns the newest item, or nil.
func (r *ring[T]) last() *T {
	if len(r.items) == 0 {
		return nil
	}
	return &r.items[(r.oldest+len(r.items)-1)%len(r.items)]
}

// newestFirst returns a copy of all items.
func (r *ring[T]) newestFirst() []T {
	all := slices.Concat(r.items[r.oldest:], r.items[:r.oldest])
	slices.Reverse(all)
	return all
}
