package collector

import (
	"time"

	"hmp_exporter/internal/hmp"
)

// A Result is what one probe of one session came to. It is a plain value and holds
// no secret.
type Result struct {
	Target, Session string
	hmp.Answer

	Start    time.Time
	Duration time.Duration
	// Timeout is the time that the probe was given.
	Timeout time.Duration
	// Rotations counts the answers to this session, up to this one, that carried
	// another authToken than the one sent.
	Rotations int
}

// Up is 1 if the HMP answered, whatever it said, and 0 if it did not. It is not
// known where nothing was sent.
func (r *Result) Up() (up float64, known bool) {
	return boolean(r.Responded), r.Outcome.Sent()
}

// Valid tells whether the HMP confirmed the session.
func (r *Result) Valid() bool { return r.Outcome == hmp.Valid }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
