package collector

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestReloadLogsNobodyIn reloads with all sorts of changes. As long as HMP and
// credential are the same, the token stays in use.
func TestReloadLogsNobodyIn(t *testing.T) {
	tests := []struct {
		name   string
		after  []string // the targets of the second configuration
		logins int      // that the reload costs
	}{
		{"nothing changes", []string{keyTarget("playout")}, 0},
		{"another setting", []string{keyTargetWith("studio", "url: http://studio\ntimeout: 3s\nkeep_alive: true", "playout")}, 0},
		{"another spelling of the URL", []string{keyTargetWith("studio", "url: http://STUDIO:80/", "playout")}, 0},
		{"another name of the target", []string{keyTargetWith("campus", "url: http://studio", "playout")}, 0},
		{"another name of the session", []string{targetWith("studio", "url: http://studio") + "      - {name: renamed, api_key: " + keyOf("playout") + ", api_secret: " + secretOf("playout") + "}\n"}, 0},
		{"a session more", []string{keyTarget("archive", "playout")}, 1},
		{"another HMP of the same name, which knows the key", []string{keyTargetWith("studio", "url: http://studio\naddress: other:80", "playout")}, 1},
		{"another HMP, which knows the key", []string{keyTargetWith("studio", "url: http://other", "playout")}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
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
		})
	}
}

// TestReloadEndsNoHold reloads at every scrape while the key is wrong.
func TestReloadEndsNoHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		r.Apply(r.load(keyTarget("playout")))
		r.scrapes(time.Hour, func(result Result) {
			always(t, hmp.LoginRejected)(result)
			if !result.Logins.Suspended {
				t.Error("logins are not suspended")
			}
			// The name goes, and comes back: what is known of the key stays.
			r.Apply(r.load(targetNamed("studio", "guest")))
			r.Apply(r.load(keyTarget("playout")))
		})
		if n := sim.Stats().RejectedPOSTs; n > 5 {
			t.Errorf("%d logins were rejected within the hour", n)
		}
	})
}

// TestEverythingAtOnce has 64 scrapers, reloads while probes are under way, tokens
// that end, and a shutdown.
func TestEverythingAtOnce(t *testing.T) {
	const lasting = 2 * time.Minute
	// Without rotation, tokens live for 51 seconds at least before they are renewed.
	tests := []struct {
		name   string
		config hmpsim.Config
		logins int // of each session, at most
	}{
		{"tokens of a minute", hmpsim.Config{}, 1 + int(lasting/(51*time.Second))},
		{"every answer has another, and the old one is dead", hmpsim.Config{Rotation: &hmpsim.Rotation{}}, 1},
		{"every answer has another, and the old one lives on", rotating, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				slow := hmpsim.Delay(200*time.Millisecond, valid())
				sim := r.simulate("studio", nil)
				sim.Config, sim.Lifetime = tt.config, time.Minute
				addKeys(sim, sessions{"playout": slow, "archive": slow})
				one := r.load(keyTargetWith("studio", "url: http://studio\ntoken_lifetime: 1m", "playout", "archive"))
				two := r.load(keyTargetWith("studio", "url: http://studio\ntoken_lifetime: 1m\nkeep_alive: true", "playout", "archive"))
				r.Apply(one)

				begin := time.Now()
				end := begin.Add(lasting)
				var wg sync.WaitGroup
				for i := range 64 {
					wg.Go(func() {
						for at := begin.Add(time.Duration(i) * 78 * time.Millisecond); at.Before(end); at = at.Add(5 * time.Second) {
							advance(time.Until(at))
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
				r.Close() // as main does when it is told to stop; scrapes under way go on
				wg.Wait()

				stats := sim.Stats()
				if stats.Logins > 2*tt.logins || stats.POSTs != stats.Logins {
					t.Errorf("%d logins of %d succeeded, want at most %d", stats.Logins, stats.POSTs, 2*tt.logins)
				}
				if stats.UnknownGETs != 0 {
					t.Errorf("%d times a token was sent that had ended", stats.UnknownGETs)
				}
				account := stats.Accounts[keyOf("playout")]
				if account.GETs < 300 || account.MaxConcurrent < 2 {
					t.Errorf("there were %d probes, %d at once at most: too few for this test", account.GETs, account.MaxConcurrent)
				}
			})
		})
	}
}

// TestApply takes one session away, keeps one and adds one.
func TestApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.simulate("studio", sessions{"playout": valid(), "archive": valid(), "guest": valid()}).Config = rotating
		r.Apply(r.load(targetNamed("studio", "playout", "archive")))
		for range 3 {
			r.probe(Request{})
		}
		r.Apply(r.load(targetNamed("studio", "playout", "guest")))

		type row struct {
			Session   string
			Rotations int32
			Result    hmp.Result
		}
		rows := func(results []Result) (rows []row) {
			for _, result := range results {
				rows = append(rows, row{result.Session, result.Rotations, result.Result})
			}
			return rows
		}
		if diff := cmp.Diff([]row{{"playout", 3, hmp.Valid}, {"guest", 0, ""}}, rows(r.Last())); diff != "" {
			t.Errorf("before a scrape (-want +got):\n%s", diff)
		}
		results := r.probe(Request{})
		if diff := cmp.Diff([]row{{"playout", 4, hmp.Valid}, {"guest", 1, hmp.Valid}}, rows(results)); diff != "" {
			t.Errorf("after a scrape (-want +got):\n%s", diff)
		}
		if text := exposition(t, Families(results)); strings.Contains(text, "archive") {
			t.Errorf("there are metrics of a session that was taken away:\n%s", text)
		}
		if _, err := r.Probe(Request{Target: "studio", Session: "archive"}); !errors.Is(err, ErrUnknownSession) {
			t.Errorf("got error %v, want %v", err, ErrUnknownSession)
		}
	})
}

func TestRequests(t *testing.T) {
	r := newRig(t)
	if results, err := r.Probe(Request{}); err != nil || len(results) != 0 {
		t.Errorf("without a configuration: got %v, %v", results, err)
	}
	r.Apply(r.load(targetWith("studio", "url: http://127.0.0.1:1", "a", "b"), targetWith("lab", "url: http://127.0.0.1:1", "a")))
	tests := []struct {
		name string
		q    Request
		want []string
		err  error
		text string
	}{
		{"all", Request{}, []string{"studio/a", "studio/b", "lab/a"}, nil, ""},
		{"a target", Request{Target: "studio"}, []string{"studio/a", "studio/b"}, nil, ""},
		{"a session", Request{Target: "studio", Session: "b"}, []string{"studio/b"}, nil, ""},
		{"no such target", Request{Target: "stu\ndio"}, nil, ErrUnknownTarget, `unknown target "stu\ndio"`},
		{"no such session", Request{Target: "lab", Session: "b"}, nil, ErrUnknownSession, `unknown session "b" of target "lab"`},
		{"a URL", Request{Target: "http://127.0.0.1:1"}, nil, ErrUnknownTarget, `unknown target "http://127.0.0.1:1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			results, err := r.Probe(tt.q)
			var got []string
			for _, result := range results {
				got = append(got, result.Target+"/"+result.Session)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v; sessions (-want +got):\n%s", err, tt.err, diff)
			}
			if err != nil && err.Error() != tt.text {
				t.Errorf("got error %q, want %q", err, tt.text)
			}
		})
	}
}
