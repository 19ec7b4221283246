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

// rotating answers every GET with another authToken, and lets the old one live.
var rotating = hmpsim.Config{Rotation: &hmpsim.Rotation{KeepOld: true}}

// TestApplyDuringScrapes reloads while many scrapes are made. Every rotation
// counts once, whichever configuration was in force.
func TestApplyDuringScrapes(t *testing.T) {
	for _, keepAlive := range []string{"false", "true"} {
		t.Run("keep_alive: "+keepAlive, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				slow := hmpsim.Delay(time.Millisecond, valid())
				studio := r.simulate("studio", sessions{"playout": slow, "archive": slow})
				studio.Config = rotating
				settings := "url: http://studio\nkeep_alive: " + keepAlive
				one := r.load(targetWith("studio", settings, "playout"))
				two := r.load(targetWith("studio", settings, "playout", "archive"))
				r.Apply(one)

				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for range 50 {
							for _, result := range r.probe(Request{}) {
								if !result.Valid() {
									t.Errorf("%s: %s", result.Session, result.Result)
								}
							}
							r.Last()
						}
					})
				}
				for range 50 {
					r.Apply(two)
					advance(700 * time.Microsecond)
					r.Apply(one)
					advance(700 * time.Microsecond)
				}
				wg.Wait()
				last := r.probe(Request{Target: "studio", Session: "playout"})[0]
				if seen := studio.Stats().Accounts[tokenOf("playout")].GETs; int(last.Rotations) != seen {
					t.Errorf("counted %d rotations of %d", last.Rotations, seen)
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

// TestApplyUnderWay sees that a scrape finishes with the configuration that it
// began with.
func TestApplyUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		old := r.simulate("old", sessions{"playout": hmpsim.Delay(time.Second, valid())})
		r.simulate("new", sessions{"playout": hmpsim.NoRoles()})
		r.Apply(r.load(targetWith("studio", "url: http://old", "playout")))
		results := make(chan []Result)
		go func() { results <- r.probe(Request{}) }()
		synctest.Wait()
		r.Apply(r.load(targetWith("studio", "url: http://new", "playout")))

		if got := resultNames(r.probe(Request{})); !cmp.Equal(got, []hmp.Result{hmp.NoRoles}) {
			t.Errorf("a new scrape got %v", got)
		}
		if got := resultNames(<-results); !cmp.Equal(got, []hmp.Result{hmp.Valid}) {
			t.Errorf("the scrape under way got %v", got)
		}
		if n := old.Stats().GETs; n != 1 {
			t.Errorf("the old HMP has seen %d probes, want 1", n)
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
