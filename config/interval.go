package config

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// staleness is after how long without a sample Prometheus takes a series for gone.
const staleness = 5 * time.Minute

// IntervalWarnings lists what makes no sense if Prometheus scrapes that often, as
// [Config.Warnings] does for the rest.
func (c *Config) IntervalWarnings(interval time.Duration) Errors {
	var warnings Errors
	every := model.Duration(interval)
	if interval > staleness {
		warnings = append(warnings, &Error{
			File: c.source,
			Problem: fmt.Sprintf("a scrape interval of %s is longer than the 5 minutes after which Prometheus "+
				"takes a series for gone", every),
			Hint: "scrape every 2 minutes at least",
		})
	}
	add := func(at Error, problem, hint string) {
		at.Problem, at.Hint = problem, hint
		warnings = append(warnings, &at)
	}
	for _, t := range c.Targets {
		if t.Timeout > interval {
			add(t.places.timeout,
				fmt.Sprintf("%s is longer than the scrape interval of %s, and Prometheus waits no longer than that", model.Duration(t.Timeout), every),
				"shorten the timeout, or scrape less often")
		}
		// A token is renewed at the first scrape after some nine tenths of its life.
		if t.logsIn() && interval > t.TokenLifetime-t.TokenLifetime/10 {
			add(t.places.tokenLifetime,
				fmt.Sprintf("%s is over before the next scrape, with an interval of %s: every scrape logs in, and leaves a session behind in HMP",
					model.Duration(t.TokenLifetime), every),
				"scrape more often")
		}
	}
	return warnings.sorted()
}

func (t *Target) logsIn() bool {
	for _, s := range t.Sessions {
		if s.KeyMode() {
			return true
		}
	}
	return false
}
