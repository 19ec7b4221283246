package collector

import (
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
)

// How much of the past is kept of a session. All of it is in memory, and goes with the
// process or with the session: Prometheus is the place for more.
const (
	// MaxPoints is how many probes have a [Point].
	MaxPoints = 60
	// MaxStreaks is how many [Streak]s are kept.
	MaxStreaks = 12
	// MaxFailures is how many failures are kept whole, beside the last result.
	MaxFailures = 3
)

// Crashed is the word for a probe that a panic of this program ended, in place of a result.
const Panicked = "crashed"

// Results explains every result that a probe can have.
func Results() []hmp.ResultInfo { return hmp.Results }

// ResultName is the result as one word: that of the label "result", or [Crashed], or ""
// before the first probe.
func (r *Result) ResultName() string {
	if r.Panicked {
		return Panicked
	}
	return string(r.Result)
}

// A Point is what is kept of each of the last probes.
type Point struct {
	Start      time.Time // to the second
	Duration   time.Duration
	ResultName string // see [Result.ResultName]
}

// An Streak is a number of probes, one after the other, that had the same result.
type Streak struct {
	ResultName  string // see [Result.ResultName]
	First, Last time.Time
	Probes      int
}

// history is what is kept of the probes of a session. It belongs to the state of the
// session, and is guarded as that is.
//
// Memory of a session: 1 kB for points and streaks, and 1 kB for each result that is kept
// whole with the headers of its exchanges. That is 2 kB for a session that is valid, and at
// most 6 kB with failures (checked by TestHistoryMemory). Results are not copied.
type history struct {
	points            ring[compactPoint]
	streaks           ring[Streak]
	failures          ring[*Result] // that sent something, or tried to
	certificateExpiry time.Time     // the expiry that the last probe that saw a certificate told
}

// A dot is a Point in 12 bytes.
type compactPoint struct {
	start  uint32 // in seconds since the epoch
	micros uint32
	result uint8 // by its place in hmp.Results
}

// add takes in a result, which nobody may change from now on.
func (h *history) add(r *Result) {
	word := r.ResultName()
	h.points.add(newCompactPoint(r, word), MaxPoints)
	if !r.Valid() && !r.Skipped {
		h.failures.add(r, MaxFailures)
	}
	if !r.CertificateExpiry.IsZero() {
		h.certificateExpiry = r.CertificateExpiry
	}
	if e := h.streaks.last(); e != nil && e.ResultName == word {
		e.Last = r.Start
		e.Probes++
		return
	}
	h.streaks.add(Streak{ResultName: word, First: r.Start, Last: r.Start, Probes: 1}, MaxStreaks)
}

func newCompactPoint(r *Result, word string) compactPoint {
	return compactPoint{
		start:  uint32(max(0, min(r.Start.Unix(), 1<<32-1))),
		micros: uint32(max(0, min(r.Duration.Microseconds(), 1<<32-1))),
		result: uint8(slices.IndexFunc(hmp.Results, func(i hmp.ResultInfo) bool { return string(i.Result) == word })), //nolint:gosec // -1 is 255, for a crash
	}
}

func (d compactPoint) point() Point {
	p := Point{Start: time.Unix(int64(d.start), 0), Duration: time.Duration(d.micros) * time.Microsecond, ResultName: Panicked}
	if int(d.result) < len(hmp.Results) {
		p.ResultName = string(hmp.Results[d.result].Result)
	}
	return p
}

// A ring keeps the last of many. The zero value is empty.
type ring[T any] struct {
	items  []T
	oldest int
}

// add adds v, in place of the oldest one if there are so many already.
func (r *ring[T]) add(v T, most int) {
	if len(r.items) < most {
		r.items = append(r.items, v)
		return
	}
	r.items[r.oldest] = v
	r.oldest = (r.oldest + 1) % most
}

// last returns the newest one, or nil.
func (r *ring[T]) last() *T {
	if len(r.items) == 0 {
		return nil
	}
	return &r.items[(r.oldest+len(r.items)-1)%len(r.items)]
}

// newestFirst returns a copy of all.
func (r *ring[T]) newestFirst() []T {
	all := slices.Concat(r.items[r.oldest:], r.items[:r.oldest])
	slices.Reverse(all)
	return all
}
