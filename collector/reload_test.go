package collector

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestReloadLogsNobodyIn reloads with many changes. While the HMP and the credential are the
// same, the token stays in use.
func TestReloadLogsNobodyIn(t *testing.T) {
	tests := []struct {
		name   string
		after  []string // the targets of the second configuration
		logins int      // because of the reload
	}{
		{"nothing changes", []string{keyTarget("playout")}, 0},
		{"another setting", []string{keyTargetWith("studio", "url: http://studio\ntimeout: 3s\nkeep_alive: true", "playout")}, 0},
		{"another spelling of the URL", []string{keyTargetWith("studio", "url: http://STUDIO:80/", "playout")}, 0},
		{"another name of the target", []string{keyTargetWith("campus", "url: http://studio", "playout")}, 0},
		{"another name of the session", []string{targetWith("studio", "url: http://studio") + keySession("renamed", "playout")}, 0},
		{"a session more", []string{keyTarget("archive", "playout")}, 1},
		{"another HMP of the same name, which knows the key", []string{keyTargetWith("studio", "url: http://studio\naddress: other:80", "playout")}, 1},
		{"another HMP, which knows the key", []string{keyTargetWith("studio", "url: http://other", "playout")}, 1},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			studio, other := r.simulate("studio", nil), r.simulate("other", nil)
			r.hmps["STUDIO:80"] = r.hmps["studio:80"]
			for _, sim := range []*hmpsim.Server{studio, other} {
				addKeys(sim, sessions{"playout": valid(), "archive": valid()})
			}
			r.Apply(r.load(keyTarget("playout")))
			r.probe(Request{})
			for range 3 {
				r.Apply(r.load(tt.after...))
				for _, result := range r.probe(Request{}) {
					always(t, hmp.Valid)(result)
				}
			}
			if n := studio.Stats().POSTs + other.Stats().POSTs - 1; n != tt.logins {
				t.Errorf("the reload cost %d logins, want %d", n, tt.logins)
			}
			if n := studio.Stats().UnknownGETs + other.Stats().UnknownGETs; n != 0 {
				t.Errorf("%d times a token was sent that the HMP does not know", n)
			}
		})
	}
}

// TestReloadEndsNoHold reloads at every scrape while logins are suspended.
func TestReloadEndsNoHold(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.simulate("studio", nil)
		r.Apply(r.load(keyTarget("playout")))
		r.scrapes(time.Hour, func(result Result) {
			always(t, hmp.LoginRejected)(result)
			if !result.Logins.Suspended {
				t.Error("logins are not suspended")
			}
			r.Apply(r.load(targetNamed("studio", "guest")))
			r.Apply(r.load(keyTarget("playout")))
		})
		if n := sim.Stats().RejectedPOSTs; n > 5 {
			t.Errorf("%d logins were rejected within the hour", n)
		}
	})
}

// TestEverythingAtOnce has 64 scrapers, reloads while probes are under way, tokens that end, and
// a shutdown. No session fails, and there are no needless logins.
func TestEverythingAtOnce(t *testing.T) {
	const lasting = 2 * time.Minute
	tests := []struct {
		name   string
		config hmpsim.Config
		logins int // of both sessions, at most
	}{
		{"tokens of a minute", hmpsim.Config{Lifetime: time.Minute}, 6}, // renewed after 51 seconds at the earliest
		{"each answer has a new token, and the old one ends", hmpsim.Config{Lifetime: time.Minute, Rotation: &hmpsim.Rotation{}}, 2},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			sim := r.simulate("studio", nil)
			sim.Config = tt.config
			slow := hmpsim.Delay(200*time.Millisecond, valid())
			addKeys(sim, sessions{"playout": slow, "archive": slow})
			one := r.load(keyTargetWith("studio", "url: http://studio\ntoken_lifetime: 1m", "playout", "archive"))
			two := r.load(keyTargetWith("studio", "url: http://studio\ntoken_lifetime: 1m\nkeep_alive: true", "playout", "archive"))
			r.Apply(one)

			end := time.Now().Add(lasting)
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					for advance(time.Duration(i) * 78 * time.Millisecond); time.Now().Before(end); advance(5 * time.Second) {
						for _, result := range r.probe(Request{ScrapeTimeout: "5"}) {
							always(t, hmp.Valid)(result)
						}
					}
				})
			}
			wg.Go(func() {
				for time.Now().Before(end) {
					advance(479 * time.Millisecond)
					r.Apply(two)
					advance(20 * time.Millisecond)
					r.Apply(one)
				}
			})
			advance(lasting - 10*time.Millisecond)
			r.Close() // scrapes under way go on
			wg.Wait()

			stats, account := sim.Stats(), sim.Stats().Accounts[keyOf("playout")]
			if stats.Logins > tt.logins || stats.POSTs != stats.Logins || stats.UnknownGETs != 0 {
				t.Errorf("%d logins of %d succeeded, want at most %d; %d requests with an unknown token", stats.Logins, stats.POSTs, tt.logins, stats.UnknownGETs)
			}
			if account.GETs < 300 || account.MaxConcurrent < 2 {
				t.Errorf("there were %d probes, %d at once at most: too few for this test", account.GETs, account.MaxConcurrent)
			}
		})
	}
}

// TestReloadKeepsState removes a session, keeps one and adds one. The one that stays keeps its
// counters and its history. The one that was removed begins anew when it comes back.
func TestReloadKeepsState(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		if results, err := r.Probe(Request{}); err != nil || len(results) != 0 {
			t.Errorf("without a configuration: got %v, %v", results, err)
		}
		r.simulate("studio", sessions{"playout": valid(), "archive": valid(), "guest": valid()}).Config = rotating
		r.Apply(r.load(targetNamed("studio", "playout", "archive")))
		for range 3 {
			r.probe(Request{})
		}
		type row struct {
			Session   string
			Rotations int32
			Points    int
		}
		expect := func(want ...row) {
			t.Helper()
			var got []row
			for _, last := range r.Last() {
				got = append(got, row{last.Session, last.Rotations, len(r.history(last.Session).Points)})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		r.Apply(r.load(targetNamed("studio", "playout", "guest")))
		expect(row{"playout", 3, 3}, row{"guest", 0, 0})
		if text := exposition(t, Families(r.probe(Request{}))); strings.Contains(text, "archive") {
			t.Errorf("there are metrics of a session that was removed:\n%s", text)
		}
		expect(row{"playout", 4, 4}, row{"guest", 1, 1})
		if _, err := r.Probe(Request{Target: "studio", Session: "archive"}); !errors.Is(err, ErrUnknownSession) {
			t.Errorf("got error %v, want %v", err, ErrUnknownSession)
		}
		if _, err := r.History("lab", "archive"); !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("got error %v, want %v", err, ErrUnknownTarget)
		}
		r.Apply(r.load(targetNamed("studio", "playout", "archive")))
		expect(row{"playout", 4, 4}, row{"archive", 0, 0})
	})
}
