package collector

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// noNegative checks that nothing took less than no time.
func noNegative(t *testing.T, r Result) {
	t.Helper()
	p := r.Phases
	if min(r.Duration, r.Timeout, p.Resolve, p.Connect, p.TLS, p.Processing, p.Transfer, r.RetryAfter) < 0 {
		t.Errorf("a duration is less than nothing: %+v", r)
	}
}

// A deadlineClient notes the deadline of a question.
type deadlineClient struct {
	client
	deadline time.Time
}

func (c *deadlineClient) Session(ctx context.Context, _ hmp.Request) (hmp.Answer, secret.Value) {
	c.deadline, _ = ctx.Deadline()
	return hmp.Answer{Result: hmp.Valid}, secret.Value{}
}

// TestTimesAreMonotonic sees that the times of a probe have the reading of a clock that
// nobody sets. The clock of a bubble has none, so this is the real one.
func TestTimesAreMonotonic(t *testing.T) {
	r := newRig(t)
	r.Apply(r.load(targetNamed("studio", "playout")))
	studio := r.snapshot.Load().byName["studio"]
	c := &deadlineClient{client: studio.client}
	studio.client = c
	result := r.probe(Request{ScrapeTimeout: "10"})[0]
	for what, at := range map[string]time.Time{
		"the start": result.Start, "the start of the last result": r.Last()[0].Start, "the deadline": c.deadline,
	} {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s has no monotonic reading: %v", what, at)
		}
	}
	noNegative(t, result)
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

// TestTimesOfOthers sees that a time that somebody else wrote is exported as it is,
// and nothing is counted from it.
func TestTimesOfOthers(t *testing.T) {
	r := sampleResults()[hmp.Valid]
	for text, want := range map[string]string{
		"0001-01-01T00:00:01Z": "-6.2135596799e+10", "1970-01-01T00:00:00Z": "0", "2038-01-19T03:14:08Z": "2.147483648e+09", "9999-12-31T23:59:59.999Z": "2.53402300799999e+11",
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		r.CertificateExpiry, r.Details.LastAction = at, at
		r.Logins = &Logins{Status: token.Status{TokenExpiry: at}}
		families := Families([]Result{r})
		got := []string{valueOf(t, families, TLSCertificateExpiry), valueOf(t, families, SessionLastAction), valueOf(t, families, SessionTokenExpiry)}
		if diff := cmp.Diff([]string{want, want, want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
