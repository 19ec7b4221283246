package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

func TestRotation(t *testing.T) {
	for _, test := range []struct {
		name   string
		rotate func(*fake)
		// How many logins twelve hours may take, where 27 or 28 are those of an HMP
		// that rotates nothing.
		least, most int
	}{
		{"none", func(*fake) {}, 27, 29},
		{"the old token lives on", func(f *fake) { f.rotating = true }, 1, 1},
		{"the old token ends", func(f *fake) { f.rotating, f.killing = true, true }, 1, 1},
		{"always the same word", func(f *fake) { f.word = canary.Word + "-masked" }, 28, 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				test.rotate(r.fake)
				l := r.login(key, apiSecret)
				for _, report := range r.scrape(l, 12*time.Hour) {
					if report.Result != hmp.Valid {
						t.Fatalf("a probe came to %s", word(report))
					}
				}
				if n := len(r.logins()); n < test.least || n > test.most {
					t.Errorf("%d logins, want %d to %d", n, test.least, test.most)
				}
			})
		})
	}
}

// The life of a token that came with an answer begins anew.
func TestRotatedTokenLives(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		advance(10 * time.Minute)
		r.rotating = true
		begun := time.Now()
		r.getTime = 3 * time.Second
		r.probe(l)
		got, _ := l.Status()
		if diff := cmp.Diff(Status{TokenExpiry: begun.Add(30 * time.Minute)}, got); diff != "" {
			t.Errorf("Status (-want +got):\n%s", diff)
		}
	})
}

// An HMP may change its ways: each change costs one login.
func TestRotationChanges(t *testing.T) {
	type ways struct {
		name            string
		rotate, kill    bool
		word            string
		logins, atLeast int // in the first 20 minutes, and in the hour after these
	}
	masked := ways{name: "a word", word: canary.Word + "-masked", logins: 1, atLeast: 2}
	killing := ways{name: "the old token ends", rotate: true, kill: true, logins: 1}
	for _, test := range []struct {
		name  string
		first ways
		then  ways
	}{
		{"not believed, and then it is true", masked, killing},
		{"believed, and then it is not true", killing, masked},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				for _, w := range []ways{test.first, test.then} {
					r.rotating, r.killing, r.word = w.rotate, w.kill, w.word
					// So that the login of a renewal is not among those that are counted.
					r.restart()
					reports := r.scrape(l, time.Minute)
					r.sent()
					reports = append(reports, r.scrape(l, 20*time.Minute)...)
					if n := len(r.logins()); n > w.logins {
						t.Errorf("%s: %d logins in the first minutes", w.name, n)
					}
					reports = append(reports, r.scrape(l, time.Hour)...)
					if n := len(r.logins()); n < w.atLeast || n > w.atLeast+1 {
						t.Errorf("%s: %d logins in the hour after", w.name, n)
					}
					for _, report := range reports {
						if report.Result != hmp.Valid {
							t.Fatalf("%s: a probe came to %s", w.name, word(report))
						}
					}
				}
			})
		})
	}
}

func TestFixedIgnoresRotation(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.rotating = true
		token := r.newToken(time.Now())
		r.scrape(Fixed{Token: r.load("token: " + token).Token}, 5*time.Minute)
		for _, c := range r.sent() {
			if diff := cmp.Diff(call{at: c.at, token: token, outcome: hmp.Valid}, c, cmp.AllowUnexported(call{})); diff != "" {
				t.Fatalf("sent (-want +got):\n%s", diff)
			}
		}
	})
}
