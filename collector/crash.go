package collector

import (
	"time"

	"hmp_exporter/internal/crash"
	"hmp_exporter/internal/hmp"
)

// survive makes a probe that may panic. That costs the session its result and
// nothing else: not the scrape, and not the process.
func (c *Collector) survive(m *member, given time.Duration, probe func() Result) (r Result) {
	start := time.Now()
	defer func() {
		what := recover()
		if what == nil {
			return
		}
		c.metrics.panics.Inc()
		r = Result{
			Target:   m.target.Name,
			Session:  m.session.Name,
			Answer:   hmp.Answer{Reason: crash.Describe(what)},
			Crashed:  true,
			Start:    start,
			Duration: time.Since(start),
			Timeout:  given,
		}
		if m.state.crashed() {
			return // one stack says it all, until it has gone well again
		}
		crash.Log(c.logger, what, "target", r.Target, "session", r.Session)
	}()
	return probe()
}
