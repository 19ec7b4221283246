package collector

import (
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

// Panicked is the result name of a probe that ended in a panic of the exporter.
const Panicked = "crashed"

// Results explains every result that a probe can have.
func Results() []hmp.ResultInfo { return hmp.Results }

// ResultName returns the value of the label "result", [Panicked] after a panic, or "" before
// the first probe.
func (r *Result) ResultName() string {
	if r.Panicked {
		return Panicked
	}
	return string(r.Result)
}

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

// history is the history of a session. The lock of the session's state guards it.
//
// Memory per session: 0.7 kB for points and streaks, and 1 kB for each result with the headers
// of its exchanges. That is 2 kB for a valid session, and at most 6 kB with failures (checked
// by TestHistoryMemory). Results are not copied.
type history struct {
	points            ring[compactPoint]
	streaks           ring[Streak]
	failures          ring[*Result] // without skipped probes
	certificateExpiry time.Time     // of the last probe that saw a certificate
}

// A compactPoint is a Point in 8 bytes.
type compactPoint struct {
	start uint32 // in seconds since the epoch
	// The duration in units of 10 µs, above the index of the result in hmp.Results. The
	// index is 31 after a panic.
	durationResult uint32
}

const (
	durationUnit = 10 * time.Microsecond
	resultBits   = 5
	maxDuration  = 1<<(32-resultBits) - 1
)

// add adds a result. Nobody may change the result from now on.
func (h *history) add(r *Result) {
	name := r.ResultName()
	h.points.add(newCompactPoint(r, name), MaxPoints)
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

func newCompactPoint(r *Result, name string) compactPoint {
	index := slices.IndexFunc(hmp.Results, func(i hmp.ResultInfo) bool { return string(i.Result) == name })
	if index < 0 {
		index = 1<<resultBits - 1
	}
	return compactPoint{
		start:          uint32(max(0, min(r.Start.Unix(), 1<<32-1))),
		durationResult: uint32(max(0, min(r.Duration/durationUnit, maxDuration)))<<resultBits | uint32(index),
	}
}

func (c compactPoint) point() Point {
	p := Point{Start: time.Unix(int64(c.start), 0), Duration: time.Duration(c.durationResult>>resultBits) * durationUnit, ResultName: Panicked}
	if i := int(c.durationResult & (1<<resultBits - 1)); i < len(hmp.Results) {
		p.ResultName = string(hmp.Results[i].Result)
	}
	return p
}

// A ring is a ring buffer. The zero value is empty.
type ring[T any] struct {
	items  []T
	oldest int
}

// add adds v. If there are most items already, v replaces the oldest.
func (r *ring[T]) add(v T, most int) {
	if len(r.items) < most {
		r.items = append(r.items, v)
		return
	}
	r.items[r.oldest] = v
	r.oldest = (r.oldest + 1) % most
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
