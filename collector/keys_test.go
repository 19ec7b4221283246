package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// keyOf and secretOf are what the session of a name logs in with.
func keyOf(session string) string    { return canary.Word + "-key-" + session }
func secretOf(session string) string { return canary.Word + "-secret-" + session }

// addKeys lets sessions log in at an HMP.
func addKeys(sim *hmpsim.Server, s sessions) {
	for name, behaviour := range s {
		sim.AddKey(keyOf(name), secretOf(name), behaviour)
	}
}

// keyTarget writes a target as [targetNamed] does, with sessions that log in.
func keyTarget(name string, sessions ...string) string {
	return keyTargetWith(name, "url: http://"+name, sessions...)
}

// keyTargetWith is [keyTarget] with a setting for each line of settings.
func keyTargetWith(name, settings string, sessions ...string) string {
	var b strings.Builder
	b.WriteString(targetWith(name, settings))
	for _, s := range sessions {
		fmt.Fprintf(&b, "      - {name: %s, api_key: %s, api_secret: %s}\n", s, keyOf(s), secretOf(s))
	}
	return b.String()
}

// interval is that of the scrapes in tests that last for hours.
const interval = 15 * time.Second

// scrapes makes scrapes of one session for a time, and hands each result on.
func (r *rig) scrapes(lasting time.Duration, each func(Result)) {
	r.t.Helper()
	for end := time.Now().Add(lasting); time.Now().Before(end); advance(interval) {
		each(r.probe(Request{ScrapeTimeout: "10"})[0])
	}
}

// always fails the test unless every result has a name.
func always(t *testing.T, want hmp.Result) func(Result) {
	begin := time.Now()
	return func(r Result) {
		t.Helper()
		if r.Result != want {
			t.Errorf("after %v: %s (%s), want %s", time.Since(begin), r.Result, r.Reason, want)
		}
	}
}

// logins is what the metrics say of the logins of one session.
type logins struct {
	Counts    string // the counts above 0, such as "success 2, timeout 1"
	Suspended string
	Expiry    string
}

func loginsOf(t *testing.T, f []*dto.MetricFamily) logins {
	t.Helper()
	var counts []string
	for _, family := range f {
		if family.GetName() != SessionLogins {
			continue
		}
		for _, m := range family.Metric {
			if n := m.GetCounter().GetValue(); n != 0 {
				counts = append(counts, fmt.Sprintf("%s %g", labelOf(m, "result"), n))
			}
		}
	}
	return logins{strings.Join(counts, ", "), valueOf(t, f, SessionLoginSuspended), valueOf(t, f, SessionTokenExpiry)}
}
