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

func (c panickingClient) GetSession(ctx context.Context, r hmp.SessionRequest) (hmp.Answer, secret.Value) {
	if c.token == "" || r.Token.Reveal() == c.token {
		advance(c.after)
		c.panic()
	}
	return c.client.GetSession(ctx, r)
}

// panicIn makes the probes of a session panic until remove is called.
func (r *rig) panicIn(session string, after time.Duration, panics func()) (remove func()) {
	t := r.snapshot.Load().byName["studio"]
	before := t.client
	t.client = panickingClient{before, tokenOf(session), panics, after}
	return func() { t.client = before }
}

// TestPanic has the probe of one session panic. All scrapes that share it go on. The session has
// no result and one log line, and the other sessions are valid.
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
				r.studio(sessions{"a": valid(), "b": valid(), "c": valid()})
				remove := r.panicIn("b", time.Second, tt.panic)

				const times = 10
				for range times { // more than there are slots, if a panic kept its slot
					go r.probe(Request{})
					synctest.Wait()
					results := r.probe(Request{})
					if diff := cmp.Diff([]hmp.Result{hmp.Valid, "", hmp.Valid}, resultNames(results)); diff != "" {
						t.Fatalf("(-want +got):\n%s", diff)
					}
					crashed := results[1]
					if !crashed.Panicked || !strings.Contains(crashed.Reason, tt.says) || crashed.Duration != time.Second {
						t.Errorf("got %+v, want a panic after a second that says %q", crashed, tt.says)
					}
					f := Families(results[1:2])
					if up, valid, result := valueOf(t, f, Up), valueOf(t, f, SessionValid), ones(f, SessionProbeResult, "result"); up != absent || valid != "0" || result != "" {
						t.Errorf("up %s, valid %s, result %q", up, valid, result)
					}
				}
				if n := testutil.ToFloat64(r.metrics.panics); n != times {
					t.Errorf("%v panics are counted, want %d", n, times)
				}
				if n := strings.Count(r.log.String(), "a panic, which is a defect"); n != 1 {
					t.Errorf("it is logged %d times, want once:\n%s", n, r.log)
				}
				for _, part := range []string{"target=studio session=b", "collector.panickingClient.GetSession"} {
					if !strings.Contains(r.log.String(), part) {
						t.Errorf("the log does not have %q:\n%s", part, r.log)
					}
				}

				remove()
				if results := r.probe(Request{}); !results[1].Valid() {
					t.Errorf("after the panics: got %+v", results[1])
				}
				if want := `msg="session is valid again" target=studio session=b was=crashed`; !strings.Contains(r.log.String(), want) {
					t.Errorf("the log does not have %q:\n%s", want, r.log)
				}
			})
		})
	}
}

// TestPanicKeepsCounters checks that the metrics of a probe that panicked have all counters and
// the logins.
func TestPanicKeepsCounters(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.studioWithKeys(sessions{"playout": valid()})
		sim.Config = rotating
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
