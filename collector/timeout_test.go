package collector

import (
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestHungHMP has one HMP of three hang. Only its own sessions fail, and the scrape ends in
// time.
func TestHungHMP(t *testing.T) {
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		up        float64
		header    string
		took      time.Duration
	}{
		{"before headers", hmpsim.Hang(), 0, "", 10 * time.Second},
		{"before headers, within a scrape", hmpsim.Hang(), 0, "5", 4500 * time.Millisecond},
		{"in the body, within a scrape", hmpsim.HangInBody(secretive()), 1, "5", 4500 * time.Millisecond},
		{"byte by byte, within a scrape", hmpsim.SlowBody(1, time.Second, secretive()), 1, "5", 4500 * time.Millisecond},
		{"longer than its own timeout", hmpsim.Hang(), 0, "60", 10 * time.Second},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			r.simulate("studio", sessions{"a": valid(), "b": valid()})
			r.simulate("hung", sessions{"a": tt.behaviour, "b": tt.behaviour})
			r.simulate("lab", sessions{"a": valid(), "b": hmpsim.AuthUnavailable()})
			r.Apply(r.load(targetNamed("studio", "a", "b"), targetNamed("hung", "a", "b"), targetNamed("lab", "a", "b")))

			begin := time.Now()
			results := r.probe(Request{ScrapeTimeout: tt.header})
			if took := time.Since(begin); took != tt.took {
				t.Errorf("the scrape took %v, want %v", took, tt.took)
			}
			want := []hmp.Result{hmp.Valid, hmp.Valid, hmp.Timeout, hmp.Timeout, hmp.Valid, hmp.AuthUnavailable}
			if diff := cmp.Diff(want, resultNames(results)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, result := range results {
				up, took := 1.0, time.Duration(0)
				if result.Target == "hung" {
					up, took = tt.up, tt.took
				}
				if got, _ := result.Up(); got != up || result.Duration != took || result.Timeout != tt.took {
					t.Errorf("%s: up %v after %v of %v, want %v after %v", result.Target, got, result.Duration, result.Timeout, up, took)
				}
			}
		})
	}
}

func TestProbeTimeout(t *testing.T) {
	const timeout = 10 * time.Second
	tests := []struct {
		name   string
		header string
		offset time.Duration
		want   time.Duration
	}{
		{"no header", "", offset, timeout},
		{"less the offset", "5", offset, 4500 * time.Millisecond},
		{"a fraction", "2.25", offset, 1750 * time.Millisecond},
		{"no offset", "5", 0, 5 * time.Second},
		{"the timeout is less", "60", offset, timeout},
		{"the timeout is just less", "10.5", offset, timeout},
		{"the timeout is just more", "10.4", offset, 9900 * time.Millisecond},
		{"as long as the timeout", "10", offset, 9500 * time.Millisecond},
		{"half, if the offset is more than that", "0.8", offset, 400 * time.Millisecond},
		{"half, if the offset is more than all", "0.1", offset, 50 * time.Millisecond},
		{"half of a nanosecond", "1e-9", offset, 1},
		{"at least a nanosecond", "1e-300", offset, 1},
		{"zero", "0", offset, timeout},
		{"a negative number", "-5", offset, timeout},
		{"a unit", "5s", offset, timeout},
		{"not a number", "NaN", offset, timeout},
		{"infinite", "+Inf", offset, timeout},
		{"more than a duration can be", "1e300", offset, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := probeTimeout(timeout, tt.header, tt.offset); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestAbsurdTimes has scrapes with absurd timeouts, of targets with short and long timeouts.
// All scrapes end in time, and no duration is negative.
func TestAbsurdTimes(t *testing.T) {
	for _, timeout := range []string{"1ms", "10s", "1h"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, maxConcurrent(1))
			r.simulate("studio", sessions{"playout": hmpsim.Hang(), "archive": valid()})
			cfg := r.load(targetWith("studio", "url: http://studio\ntimeout: "+timeout, "playout", "archive"))
			r.Apply(cfg)
			for _, header := range []string{"", "0", "-1", "NaN", "Inf", "-Inf", "1e-300", "1e-9", "0x1p-3", "0.001", "1e300", "1e999", strconv.FormatFloat(math.MaxFloat64, 'g', -1, 64)} {
				began := time.Now()
				results := r.probe(Request{ScrapeTimeout: header})
				if took := time.Since(began); took > cfg.Targets[0].Timeout {
					t.Errorf("timeout %s, header %q: took %v", timeout, header, took)
				}
				for _, result := range results {
					noNegative(t, result)
					if result.Timeout <= 0 || result.Timeout > cfg.Targets[0].Timeout {
						t.Errorf("timeout %s, header %q: the probe had %v", timeout, header, result.Timeout)
					}
				}
			}
		})
	}
}

// noNegative checks that no duration is negative.
func noNegative(t *testing.T, r Result) {
	t.Helper()
	p := r.Phases
	if min(r.Duration, r.Timeout, p.Resolve, p.Connect, p.TLS, p.Processing, p.Transfer, r.RetryAfter) < 0 {
		t.Errorf("a duration is negative: %+v", r)
	}
}
