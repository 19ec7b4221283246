// Package collector makes one scrape: it probes the sessions that were asked for
// and turns what came of it into metrics.
//
// The way of the data has one direction:
//
//	a Request → an allowance of time → the configuration of this moment →
//	the members asked for, so many at once → session.Source, which has the token
//	→ hmp.Client → a Result → WriteText
//
// Nothing outlives a scrape but a little state for each session: its token,
// counters, a short history, and the probe that is under way. Probing comes
// before gathering, because a prometheus.Collector has no context to be bounded
// by; and the metrics of sessions are written directly instead of through a registry
// and families, which would check the same constant names and labels on every scrape.
// Tests do that, with a pedantic registry and with package expfmt. [Families] is for
// who wants something else than text.
//
// [Metrics] lists all that is exported. It is the one place to change for a new
// metric.
package collector
