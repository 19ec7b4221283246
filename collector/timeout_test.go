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

// TestHungHMP has one HMP of three hang. It costs nothing but its own sessions,
// and the scrape is back within what it has.
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
		{"in the body, within a scrape", hmpsim.HangInBody(lookalike()), 1, "5", 4500 * time.Millisecond},
		{"byte by byte, within a scrape", hmpsim.SlowBody(1, time.Second, lookalike()), 1, "5", 4500 * time.Millisecond},
		{"longer than its own timeout", hmpsim.Hang(), 0, "60", 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
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
		{"half where the offset takes more", "0.8", offset, 400 * time.Millisecond},
		{"half where the offset takes all", "0.5", offset, 250 * time.Millisecond},
		{"half where the offset takes more than all", "0.1", offset, 50 * time.Millisecond},
		{"half of hardly anything", "1e-9", offset, 1},
		{"more than nothing", "1e-300", offset, 1},
		{"zero", "0", offset, timeout},
		{"less than zero", "-5", offset, timeout},
		{"a unit", "5s", offset, timeout},
		{"text", "soon", offset, timeout},
		{"two numbers", "5, 5", offset, timeout},
		{"not a number", "NaN", offset, timeout},
		{"for ever", "+Inf", offset, timeout},
		{"more than a duration holds", "1e300", offset, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := probeTimeout(timeout, tt.header, tt.offset); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzProbeTimeout(f *testing.F) {
	for _, header := range []string{"", "10", "0.4", "1e-9", "-1", "NaN", "Inf", "1e999", "0x1p-3", "9.999999999"} {
		f.Add(int64(10*time.Second), header, int64(offset))
	}
	f.Fuzz(func(t *testing.T, timeoutNS int64, header string, offsetNS int64) {
		// Nobody can configure others.
		timeout := time.Duration(1 + (uint64(timeoutNS) % uint64(365*24*time.Hour)))
		offset := time.Duration(uint64(offsetNS) % uint64(365*24*time.Hour))
		d := probeTimeout(timeout, header, offset)
		if d <= 0 || d > timeout {
			t.Errorf("got %v, want more than 0 and at most %v", d, timeout)
		}
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil || !(seconds >= 1e-6) || seconds > 1e9 {
			return // no sensible number
		}
		scrape := time.Duration(seconds * float64(time.Second))
		if d > scrape {
			t.Errorf("got %v, want at most the scrape's %v", d, scrape)
		}
		if least := min(timeout, scrape/2); d < least {
			t.Errorf("got %v, want at least %v", d, least)
		}
	})
}

// TestAbsurdTimes has scrapes with absurd timeouts, and targets with the least and
// the longest there can be: all of them end in time, and none took less than nothing.
func TestAbsurdTimes(t *testing.T) {
	for _, timeout := range []string{"1ms", "10s", "1h"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, maxConcurrent(1))
			r.simulate("studio", sessions{"playout": hmpsim.Hang(), "archive": valid()})
			cfg := r.load(targetWith("studio", "url: http://studio\ntimeout: "+timeout, "playout", "archive"))
			r.Apply(cfg)
			for _, header := range []string{"", "0", "-1", "NaN", "Inf", "-Inf", "1e-300", "1e-9", "3e-9", "0.001", "1e300", strconv.FormatFloat(math.MaxFloat64, 'g', -1, 64)} {
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

// noNegative checks that nothing took less than no time.
func noNegative(t *testing.T, r Result) {
	t.Helper()
	p := r.Phases
	if min(r.Duration, r.Timeout, p.Resolve, p.Connect, p.TLS, p.Processing, p.Transfer, r.RetryAfter) < 0 {
		t.Errorf("a duration is less than nothing: %+v", r)
	}
}
