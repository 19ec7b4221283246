package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// TestScrapeTimeout is that Prometheus has its answer before it hangs up, though an
// HMP hangs. It takes half a second, as it is about a real client's patience.
func TestScrapeTimeout(t *testing.T) {
	const timeout = `hmp_session_probe_timeout_seconds{session="relay",target="tower"} 0.5`
	const result = `hmp_session_probe_result{result="timeout",session="relay",target="tower"} 1`

	for _, path := range []string{"/probe?target=tower", "/metrics"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fleet) // one for each, as scrapes that overlap share a probe
			r.sim.SetToken("CANARY-relay", hmpsim.Hang())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got, err := try(ctx, t, r.client, http.MethodGet, r.url+path, scrapeTimeoutHeader, "1")
			if err != nil {
				t.Fatalf("Prometheus would have hung up: %v", err)
			}
			got.want(t, http.StatusOK, timeout, result)
		})
	}
}

func TestScrapeTimeoutHeader(t *testing.T) {
	r := newRig(t, fleet)
	for _, c := range []struct{ name, header, want string }{
		{"none", "", "10"},
		{"as Prometheus sends it", "5", "4.5"},
		{"with a fraction", "2.25", "1.75"},
		{"more than the probe's", "60", "10"},
		{"hardly more than the offset", "0.8", "0.4"},
		{"zero", "0", "10"},
		{"negative", "-1", "10"},
		{"word", "soon", "10"},
		{"unit", "5s", "10"},
		{"not a number", "NaN", "10"},
		{"infinite", "Inf", "10"},
		{"out of range", "1e999", "10"},
		{"two numbers", "5, 6", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.get("/probe?target=studio&session=playout", scrapeTimeoutHeader, c.header).want(t, http.StatusOK, playout,
				`hmp_session_probe_timeout_seconds{session="playout",target="studio"} `+c.want+"\n")
		})
	}
}
