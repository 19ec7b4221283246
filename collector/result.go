package collector

import (
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// A Result is what one probe of one session ended in. It is a plain value and holds no
// secret.
type Result struct {
	Target, Session string
	hmp.Answer
	// Held is true if nothing was sent, although the result tells of the HMP: the answer
	// repeats that of an earlier login, as logins are held back, or of the login of
	// another session; or the HMP did not answer the probes before this one.
	Skipped bool
	// Crashed is true if this program panicked within the probe. Then there is no result.
	Panicked bool
	// Rotations counts the answers to this session, up to this one, that carried
	// another authToken than the one sent.
	Rotations int32

	Start    time.Time
	Duration time.Duration
	// Timeout is the time that the probe was given.
	Timeout time.Duration
	// Version is that of the HMP, nil if it is not known. It is not a part of the probe, and
	// histories do not have it.
	Version *Version
	// Logins tells about the logins of the session; nil if its token is a fixed one.
	Logins *Logins
}

// Logins are those of a session with an API key, up to a result.
type Logins struct {
	token.Status
	// Last is what the login ended in that was a part of the probe; "" without one.
	Last hmp.Result
	// Counts has how many logins ended in each result.
	Counts map[hmp.Result]int
}

// Up is 1 if the HMP answered, whatever it said, and 0 if it did not. It is not
// known where nothing was sent.
func (r *Result) Up() (up float64, known bool) {
	return boolean(r.Responded), r.sent()
}

// sent tells whether the probe sent anything.
func (r *Result) sent() bool { return r.Result.Sent() && !r.Skipped }

// unanswered tells whether the probe was not sent, because the HMP did not answer others.
func (r *Result) unanswered() bool { return r.Result == hmp.Timeout && r.Skipped }

// outOfTime tells whether a probe with more time can tell more.
func (r *Result) outOfTime() bool { return r.Result == hmp.Timeout || r.Result == hmp.Saturated }

func (r *Result) suspended() bool { return r.Logins != nil && r.Logins.Suspended }

// Valid tells whether the HMP confirmed the session.
func (r *Result) Valid() bool { return r.Result == hmp.Valid }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
