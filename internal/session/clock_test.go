package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// step puts the clock of the HMP forward, or back, against that of this side. It is
// also what a machine sees that was suspended: a clock that counts durations stands
// still meanwhile, on Linux, and everybody else's goes on.
func (f *fake) step(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for token, end := range f.tokens {
		f.tokens[token] = end.Add(-d)
	}
}

// steps are those of a clock: an hour is one that forgot its summer, three days are
// a long weekend with the lid closed.
var steps = []time.Duration{29 * time.Minute, time.Hour, 72 * time.Hour}

// The token has ended while nobody looked. The next probe finds that out, logs in
// once, and is valid; afterwards all is as ever.
func TestResume(t *testing.T) {
	for _, test := range []struct {
		age, away time.Duration
	}{
		{10 * time.Minute, steps[0]}, {10 * time.Minute, steps[1]}, {10 * time.Minute, steps[2]},
		{time.Second, steps[1]}, {2 * time.Minute, steps[2]}, {25 * time.Minute, steps[0]},
	} {
		t.Run(fmt.Sprintf("%v after a token of %v", test.away, test.age), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				advance(test.age)
				r.step(test.away)
				r.sent()

				begun := time.Now()
				report := r.probe(l)
				if diff := cmp.Diff("GET unauthorized, POST valid, GET valid", path(r.sent())); diff != "" || word(report) != "valid login" {
					t.Errorf("a probe that came to %s sent (-want +got):\n%s", word(report), diff)
				}
				got, _ := l.Status()
				if diff := cmp.Diff(Status{TokenExpiry: begun.Add(30 * time.Minute)}, got); diff != "" {
					t.Errorf("Status (-want +got):\n%s", diff)
				}
				r.validFor(l, 2*time.Hour, 5)
			})
		})
	}
}

// validFor scrapes for a time in which every probe has to be valid, after so many
// logins at most.
func (r *rig) validFor(l *Login, d time.Duration, most int) {
	r.t.Helper()
	r.sent()
	for i, report := range r.scrapeEvery(l, time.Minute, d) {
		if report.Result != hmp.Valid || report.Held {
			r.t.Fatalf("probe %d came to %s", i, word(report))
		}
	}
	if n := len(r.logins()); n > most {
		r.t.Errorf("%d logins in %v, want %d at most", n, d, most)
	}
}

// A token that has not ended yet is used on, and ends earlier than this side believes.
func TestResumeInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		r.step(29 * time.Minute)
		r.validFor(l, 45*time.Second, 0)
		r.validFor(l, 25*time.Minute, 1)
	})
}

// An HMP whose clock is put back keeps its tokens for longer. They are renewed when
// they would have been.
func TestClockBack(t *testing.T) {
	for _, back := range steps {
		t.Run(back.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				r.step(-back)
				r.validFor(l, 25*time.Minute, 0)
				r.validFor(l, 5*time.Minute, 1)
				r.validFor(l, 2*time.Hour, 5)
				if rejected := filter(r.all, func(c call) bool { return c.outcome != hmp.Valid }); len(rejected) > 0 {
					t.Errorf("HMP was sent what it does not accept: %s", path(rejected))
				}
			})
		})
	}
}

// One who opens and closes the lid for a day costs HMP a login each time.
func TestResumeAgainAndAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		rotate func(*fake)
	}{
		{"no rotation", func(*fake) {}},
		{"the old token lives on", func(f *fake) { f.rotating = true }},
		{"the old token ends", func(f *fake) { f.rotating, f.killing = true, true }},
		{"use extends tokens", func(f *fake) { f.sliding = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				test.rotate(r.fake)
				l := r.login(key, apiSecret)
				for range 24 {
					// A probe is no more than two questions, so a guess about rotation can
					// be wrong in one probe after another, but costs no more than a login.
					r.validFor(l, 2*time.Minute, 1)
					r.step(time.Hour)
				}
			})
		})
	}
}

// The network is back later than the exporter. Nothing that fails until then is an
// opinion about the token; it is found to have ended when HMP can say so.
func TestResumeWithoutNetwork(t *testing.T) {
	for _, away := range steps[1:] {
		t.Run(away.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				advance(2 * time.Minute)
				r.step(away)
				r.sent()
				r.onSession, r.onLogin = always(hmp.Connect), always(hmp.Connect)
				got := words(r.scrape(l, 2*time.Minute))
				if diff := cmp.Diff([]string{"connect ×8"}, got); diff != "" || len(r.logins()) > 0 {
					t.Errorf("without a network (-want +got):\n%s", diff)
				}
				r.onSession, r.onLogin = nil, nil
				r.validFor(l, time.Hour, 3)
			})
		})
	}
}

// A key that was made anew meanwhile is met with as few logins as ever.
func TestResumeWithAnotherSecret(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		r.accept(key, canary.Word+"-another")
		r.step(time.Hour)
		r.sent()
		reports := words(r.scrape(l, time.Hour))
		if calls := r.logins(); len(calls) > 5 || reports[0] != "login_rejected login" {
			t.Errorf("in an hour: %s; %v", path(calls), reports)
		}
		r.accept(key, apiSecret)
		r.scrape(l, 33*time.Minute) // the longest hold, and a tenth
		r.validFor(l, time.Hour, 3)
	})
}
