package web

import (
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// TestHeadline is that the page says that all is well only where all was probed.
func TestHeadline(t *testing.T) {
	valid := collector.Result{Target: "t", Session: "valid", Answer: hmp.Answer{Result: hmp.Valid}}
	invalid := collector.Result{Target: "t", Session: "invalid", Answer: hmp.Answer{Result: hmp.DNS}}
	fresh := collector.Result{Target: "t", Session: "fresh"}
	for want, results := range map[string][]collector.Result{
		"No session is configured on 0 targets":     nil,
		"1 session, not probed yet on 1 target":     {fresh},
		"2 sessions, not probed yet on 1 target":    {fresh, fresh},
		"1 of 2 sessions is valid on 1 target":      {fresh, valid},
		"1 of 3 sessions is not valid on 1 target":  {fresh, valid, invalid},
		"The session is valid on 1 target":          {valid},
		"All 2 sessions are valid on 1 target":      {valid, valid},
		"2 of 2 sessions are not valid on 1 target": {invalid, invalid},
	} {
		for h1 := range all(pageOf(t, "/", results...).root, "h1") {
			if got := text(h1); got != want {
				t.Errorf("the page says %q, want %q", got, want)
			}
		}
	}
}
