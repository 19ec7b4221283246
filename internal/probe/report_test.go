package probe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

func gathering(t *testing.T, answers int, ctx context.Context) *Report { //nolint:revive // the test comes first
	t.Helper()
	r := newReport(sampleSessions())
	results := make(chan collector.Result, len(r.Attempts))
	for _, a := range r.Attempts[:answers] {
		results <- collector.Result{Target: a.Target, Session: a.Session, Answer: hmp.Answer{Result: hmp.Valid}}
	}
	r.gather(ctx, results, 10*time.Second, func(*Report) {})
	return r
}

// A probe that does not end, as one that reads a file from a disk that hangs, is not
// waited for.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := gathering(t, 3, t.Context())
		if r.Stopped != Stuck || r.answered != 3 || time.Since(start) != 12*time.Second {
			t.Errorf("got %q with %d answers after %v", r.Stopped, r.answered, time.Since(start))
		}
	})
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := gathering(t, 3, ctx); r.Stopped != Interrupted || r.answered != 3 {
			t.Errorf("got %q with %d answers", r.Stopped, r.answered)
		}
	})
}

func TestGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if r := gathering(t, len(sampleSessions()), t.Context()); r.Stopped != "" || r.valid() != len(r.Attempts) {
			t.Errorf("got %q with %d valid sessions", r.Stopped, r.valid())
		}
	})
}

func TestLongest(t *testing.T) {
	for _, tt := range []struct{ timeout, want time.Duration }{
		{0, 10 * time.Second}, {time.Second, time.Second}, {time.Minute, 10 * time.Second},
	} {
		o := Options{Timeout: tt.timeout}
		if got := o.longest(sampleSessions()); got != tt.want {
			t.Errorf("with %v: got %v, want %v", tt.timeout, got, tt.want)
		}
	}
}
