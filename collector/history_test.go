package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

// probeWith probes a session once for each result, a minute apart. The HMP answers with it.
func (r *rig) probeWith(session string, results ...hmp.Result) {
	t := r.snapshot.Load().byName["studio"]
	before := t.client
	defer func() { t.client = before }()
	for _, result := range results {
		t.client = instantClient{before, sampleResults()[result].Answer}
		r.probe(Request{Target: "studio", Session: session})
		advance(time.Minute)
	}
}

// TestHistory checks what is kept: points of the last probes, streaks of equal results, and the
// whole results of the last probe and of the last failures.
func TestHistory(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.Apply(r.load(targetNamed("studio", "playout")))
		start := time.Now()
		if h := r.history("playout"); h.Last.ResultName() != "" || h.Last.Session != "playout" || len(h.Points)+len(h.Streaks)+len(h.Failures) > 0 {
			t.Errorf("before a probe there is %+v", h)
		}

		r.probeWith("playout", hmp.Valid, hmp.TLS, hmp.DNS, hmp.DNS)
		remove := r.panicIn("playout", 0, func() { panic("x") })
		r.probe(Request{})
		remove()
		advance(time.Minute)
		at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
		points := []Point{{at(4), 0, Panicked}, {at(3), 0, "dns"}, {at(2), 0, "dns"}, {at(1), 0, "tls"}, {at(0), 0, "valid"}}
		if diff := cmp.Diff(points, r.history("playout").Points); diff != "" {
			t.Errorf("points (-want +got):\n%s", diff)
		}
		for range MaxPoints {
			r.probeWith("playout", hmp.Valid)
		}
		h := r.history("playout")
		if len(h.Points) != MaxPoints || !h.Points[0].Start.Equal(at(4+MaxPoints)) {
			t.Errorf("there are %d points, the newest is %+v", len(h.Points), h.Points[0])
		}
		want := []Streak{
			{"valid", at(5), at(4 + MaxPoints), MaxPoints}, {Panicked, at(4), at(4), 1}, {"dns", at(2), at(3), 2},
			{"tls", at(1), at(1), 1}, {"valid", at(0), at(0), 1},
		}
		if diff := cmp.Diff(want, h.Streaks); diff != "" {
			t.Errorf("streaks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]hmp.Result{"", hmp.DNS, hmp.DNS}, resultNames(h.Failures)); diff != "" || !h.Failures[0].Panicked || !h.Last.Valid() {
			t.Errorf("whole results (-want +got):\n%s", diff)
		}
		summary := Summary{Target: "studio", Session: "playout", ResultName: "valid", Start: at(4 + MaxPoints), Since: at(5)}
		if diff := cmp.Diff([]Summary{summary}, r.Summaries()); diff != "" {
			t.Errorf("summaries (-want +got):\n%s", diff)
		}
	})
}

// TestHistoryHidesTexts checks that texts of service messages disappear when a reload forbids
// them.
func TestHistoryHidesTexts(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.simulate("studio", sessions{"playout": valid()})
		r.Apply(r.load(targetWith("studio", "url: http://studio\nservice_message_text: true", "playout")))
		r.probe(Request{})
		if h := r.history("playout"); len(h.Last.Details.MessageTexts) != 1 || len(h.Last.Exchanges) != 1 {
			t.Errorf("the last result is %+v", h.Last)
		}
		r.Apply(r.load(targetNamed("studio", "playout")))
		if h := r.history("playout"); len(h.Points) != 1 || h.Last.Details.MessageTexts != nil || r.Last()[0].Details.MessageTexts != nil {
			t.Errorf("after a reload there is %+v", h)
		}
	})
}
