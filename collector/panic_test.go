package collector

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A panickingClient panics some time after it is asked about a session.
type panickingClient struct {
	client
	token string // of the session; "" for all
	panic func()
	after time.Duration
}

func (c panickingClient) Session(ctx context.Context, r hmp.SessionRequest) (hmp.Answer, secret.Value) {
	if c.token == "" || r.Token.Reveal() == c.token {
		advance(c.after)
		c.panic()
	}
	return c.client.Session(ctx, r)
}

// plant has the probes of a session panic. It returns how to end that.
func (r *rig) plant(session string, after time.Duration, explode func()) (remove func()) {
	t := r.snapshot.Load().byName["studio"]
	before := t.client
	t.client = panickingClient{before, tokenOf(session), explode, after}
	return func() { t.client = before }
}

// TestPanic has one session of three panic in whatever way: it has no result, once
// in the log, and the others do not notice.
func TestPanic(t *testing.T) {
	var list []int
	tests := []struct {
		name  string
		panic func()
		says  string
	}{
		{"of the runtime", func() { _ = list[7] }, "index out of range [7]"},
		{"with a secret", func() { panic(canary.Word) }, "string"},
		{"with a secret in an error", func() { panic(fmt.Errorf("failed: %s", canary.Word)) }, "*errors.errorString"},
		{"with nil", func() { panic(nil) }, "panic called with nil"}, //nolint:govet // it is what is tried
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(3))
				r.simulate("studio", sessions{"a": valid(), "b": valid(), "c": valid()})
				r.Apply(r.load(targetNamed("studio", "a", "b", "c")))
				remove := r.plant("b", time.Second, tt.panic)

				const times = 10
				for range times { // more than there are slots, if a panic kept its slot
					results := r.probe(Request{})
					if diff := cmp.Diff([]hmp.Result{hmp.Valid, "", hmp.Valid}, resultNames(results)); diff != "" {
						t.Fatalf("(-want +got):\n%s", diff)
					}
					crashed := results[1]
					if !crashed.Panicked || !strings.Contains(crashed.Reason, tt.says) || crashed.Duration != time.Second {
						t.Errorf("got %+v, want a crash after a second that says %q", crashed, tt.says)
					}
				}
				if n := testutil.ToFloat64(r.metrics.panics); n != times {
					t.Errorf("%v panics are counted, want %d", n, times)
				}
				if n := strings.Count(r.log.String(), "a panic, which is a defect"); n != 1 {
					t.Errorf("it is logged %d times, want once:\n%s", n, r.log)
				}
				for _, part := range []string{"target=studio session=b", "collector.panickingClient.Session"} {
					if !strings.Contains(r.log.String(), part) {
						t.Errorf("the log does not have %q:\n%s", part, r.log)
					}
				}

				remove()
				if results := r.probe(Request{}); !results[1].Valid() {
					t.Errorf("it is mended: got %+v", results[1])
				}
				if want := `msg="session is valid again" target=studio session=b was=crashed`; !strings.Contains(r.log.String(), want) {
					t.Errorf("the log does not have %q:\n%s", want, r.log)
				}
			})
		})
	}
}

// TestPanicIsShared is that scrapes that share a probe end when it panics, and that the
// metrics say what is known.
func TestPanicIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"a": valid()})
		r.Apply(r.load(targetNamed("studio", "a")))
		r.plant("a", time.Second, func() { panic(canary.Word) })
		for range 10 {
			go func() {
				begin := time.Now()
				got, _ := r.verdict(Request{Target: "studio"}, sim)
				if diff := cmp.Diff(verdict{"", absent, "0", "0", "", 0}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if took := time.Since(begin); took != time.Second {
					t.Errorf("it took %v", took)
				}
			}()
		}
		time.Sleep(2 * time.Second) // of the fake clock
		if n := testutil.ToFloat64(r.metrics.panics); n != 1 {
			t.Errorf("%v panics, want one for ten scrapes", n)
		}
	})
}

// TestPanicKeepsCounters has a probe panic: what was counted and what is known of the
// logins is exported all the same.
func TestPanicKeepsCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		sim.Config = rotating
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("playout")))
		r.probe(Request{})
		before := r.probe(Request{})
		studio := r.snapshot.Load().byName["studio"]
		studio.client = panickingClient{client: studio.client, panic: func() { panic("x") }}
		crashed := r.probe(Request{})
		if !crashed[0].Panicked {
			t.Fatalf("it did not crash: %+v", crashed[0])
		}
		if diff := cmp.Diff(loginsOf(t, Families(before)), loginsOf(t, Families(crashed))); diff != "" {
			t.Errorf("logins (-before +after):\n%s", diff)
		}
		if got := crashed[0].Rotations; got != before[0].Rotations {
			t.Errorf("%d rotations after %d", got, before[0].Rotations)
		}
	})
}
