package collector

import (
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// Panicked is the result name of a probe that ended in a panic of the exporter.
const Panicked = "crashed"

// A Result is all that one probe of one session found. Its field Result, of type [hmp.Result],
// is only the name of the result, such as "valid". A Result is a plain value and holds no
// secret.
type Result struct {
	Target, Session string
	hmp.Answer
	// Skipped is true if the probe sent nothing, because it could not log in, or because the
	// HMP did not answer other probes.
	Skipped bool
	// Panicked is true if the exporter panicked in the probe. Then Result is "".
	Panicked bool
	// Rotations counts the answers to this session, up to this one, that carried
	// another authToken than the one sent.
	Rotations int32

	Start    time.Time
	Duration time.Duration
	// Timeout is the time that the probe had.
	Timeout time.Duration
	// Version is the HMP's version, nil if it is not known. It does not come from the probe,
	// and histories do not have it.
	Version *Version
	// Logins are the logins of the session, nil if it has no API key.
	Logins *Logins
}

// Logins are the logins of a session with an API key, up to a probe.
type Logins struct {
	token.Status
	// InProbe is the result of the login in this probe, "" if there was none.
	InProbe hmp.Result
	// Counts has the number of logins by result.
	Counts map[hmp.Result]int
}

// ResultName returns the value of the label "result", [Panicked] after a panic, or "" before
// the first probe.
func (r *Result) ResultName() string {
	if r.Panicked {
		return Panicked
	}
	return string(r.Result)
}

// Up returns 1 if the HMP answered, whatever the answer, and 0 if it did not. known is
// false if the probe sent nothing.
func (r *Result) Up() (up float64, known bool) {
	return boolToFloat(r.Responded), r.sent()
}

// sent reports whether the probe sent anything. One that ended in credentials or saturated
// did not, and one that panicked counts as such.
func (r *Result) sent() bool { return r.Result.Sent() && !r.Skipped }

// feedback returns what the result says of the HMP.
func (r *Result) feedback() feedback {
	switch {
	case r.Result == hmp.Timeout && !r.Skipped:
		return probeTimedOut
	case r.sent():
		return answered
	default:
		return noFeedback
	}
}

// skippedAsHung reports whether the probe sent nothing because the HMP did not answer others.
func (r *Result) skippedAsHung() bool { return r.Result == hmp.Timeout && r.Skipped }

// outOfTime reports whether a probe with more time could have another result.
func (r *Result) outOfTime() bool { return r.Result == hmp.Timeout || r.Result == hmp.Saturated }

func (r *Result) suspended() bool { return r.Logins != nil && r.Logins.Suspended }

// Valid reports whether the HMP confirmed the session.
func (r *Result) Valid() bool { return r.Result == hmp.Valid }
