package collector

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// script makes the session answer each probe with the next of some results.
func (r *rig) script(name string, results ...hmp.Result) {
	t := r.snapshot.Load().byName["studio"]
	before := t.client
	defer func() { t.client = before }()
	for _, result := range results {
		t.client = instantClient{before, sampleResults()[result].Answer}
		r.probe(Request{Target: "studio", Session: name})
		advance(time.Minute)
	}
}

// TestHistory is what is kept: points of the last probes, runs of equal results for
// longer, and whole results of the last few probes and failures.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Apply(r.load(targetNamed("studio", "playout")))
		start := time.Now()
		if h := r.history("playout"); h.Last.ResultName() != "" || h.Last.Session != "playout" || len(h.Points)+len(h.Streaks)+len(h.Failures) > 0 {
			t.Errorf("before a probe there is %+v", h)
		}

		r.script("playout", hmp.Valid, hmp.TLS, hmp.DNS, hmp.DNS, hmp.Timeout)
		for range MaxPoints {
			r.script("playout", hmp.Valid)
		}
		h := r.history("playout")
		if len(h.Points) != MaxPoints {
			t.Fatalf("there are %d points", len(h.Points))
		}
		at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
		if p, want := h.Points[0], (Point{Start: at(4 + MaxPoints), ResultName: "valid"}); !p.Start.Equal(want.Start) || p.ResultName != want.ResultName {
			t.Errorf("the newest point is %+v, want %+v", p, want)
		}
		want := []Streak{
			{"valid", at(5), at(4 + MaxPoints), MaxPoints}, {"timeout", at(4), at(4), 1}, {"dns", at(2), at(3), 2},
			{"tls", at(1), at(1), 1}, {"valid", at(0), at(0), 1},
		}
		if diff := cmp.Diff(want, h.Streaks); diff != "" {
			t.Errorf("streaks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]hmp.Result{hmp.Timeout, hmp.DNS, hmp.DNS}, resultNames(h.Failures)); diff != "" || !h.Last.Valid() {
			t.Errorf("whole results (-want +got):\n%s", diff)
		}
		summary := Summary{Target: "studio", Session: "playout", ResultName: "valid", Start: at(4 + MaxPoints), Since: at(5)}
		if diff := cmp.Diff([]Summary{summary}, r.Summaries()); diff != "" {
			t.Errorf("summaries (-want +got):\n%s", diff)
		}
	})
}

// TestHistoryOfResults is that each result comes back from the past as it was.
func TestHistoryOfResults(t *testing.T) {
	for _, i := range Results() {
		r := Result{Answer: hmp.Answer{Result: i.Result}, Start: time.Unix(1e9, 5e8), Duration: 1500 * time.Microsecond}
		want := Point{time.Unix(1e9, 0), 1500 * time.Microsecond, string(i.Result)}
		if got := newCompactPoint(&r).point(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	r := Result{Panicked: true, Start: time.Unix(-1, 0), Duration: 1 << 62}
	want := Point{time.Unix(0, 0), math.MaxUint32 * durationUnit, Panicked}
	if got := newCompactPoint(&r).point(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestHistoryOfPanic is that a panic has its place in it, and a hold among the failures has none.
func TestHistoryOfPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Apply(r.load(targetNamed("studio", "playout")))
		remove := r.plant("playout", 0, func() { panic("x") })
		r.probe(Request{})
		remove()
		held := sampleResults()[hmp.LoginRejected]
		held.Skipped, held.Start = true, time.Now()
		r.snapshot.Load().sessions[0].state.record(&sharedProbe{result: &held, collector: r.Collector})
		h := r.history("playout")
		if len(h.Failures) != 1 || !h.Failures[0].Panicked || h.Points[1].ResultName != Panicked || h.Streaks[1].ResultName != Panicked {
			t.Errorf("the crash is not where it has to be: %+v", h)
		}
		if !h.Last.Skipped || h.Last.ResultName() != "login_rejected" {
			t.Errorf("the hold is not where it has to be: %+v", h)
		}
	})
}

// TestHistoryAndReload is that the past of a session stays over reloads, goes with the
// session, and does not show texts of messages that are not to be shown any more.
func TestHistoryAndReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("studio", sessions{"playout": valid(), "archive": hmpsim.NoRoles()})
		const texts = "url: http://studio\nservice_message_text: true"
		r.Apply(r.load(targetWith("studio", texts, "playout", "archive")))
		r.probe(Request{})
		if h := r.history("playout"); len(h.Last.Details.MessageTexts) != 1 || len(h.Last.Exchanges) != 1 {
			t.Errorf("the last result is %+v", h.Last)
		}
		r.Apply(r.load(targetWith("studio", "url: http://elsewhere", "playout")))
		h := r.history("playout")
		if len(h.Points) != 1 || h.Last.Details.MessageTexts != nil {
			t.Errorf("after a reload there is %+v", h)
		}
		if _, err := r.History("studio", "archive"); !errors.Is(err, ErrUnknownSession) {
			t.Errorf("the session that is gone: %v", err)
		}
		if _, err := r.History("lab", "archive"); !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("a target that is not there: %v", err)
		}
		r.Apply(r.load(targetWith("studio", texts, "playout", "archive")))
		if h := r.history("archive"); len(h.Points) != 0 {
			t.Errorf("a session that was gone has %+v", h)
		}
	})
}
