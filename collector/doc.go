// Package collector makes one scrape: it probes the sessions that were asked for and turns
// their results into metrics.
//
// The data goes one way:
//
//	a Request → the sessions of the snapshot (snapshot.go)
//	→ for each session the probe under way, or a new one (shared_probe.go)
//	→ a place among all probes (limiter.go)
//	→ secrets, token and HMP (probe.go, package token, package hmp)
//	→ a Result, which is counted, kept and logged (state.go, history.go)
//	→ samples by the table of metrics (metrics.go, exposition.go)
//
// A probe runs in a goroutine of its own and belongs to the name of its session. So scrapes
// share it, a reload does not repeat it, and a scrape waits until its own deadline whatever
// becomes of the probe.
//
// Only little outlives a scrape: tokens, counters, a short history, and the probe that is
// under way. Probing comes before gathering, because a prometheus.Collector has no context.
// The samples of sessions are written directly. A registry and metric families would check
// the same names and labels at every scrape; tests do that instead, with a pedantic registry
// and with package expfmt. [Families] is for formats other than text.
//
// [Metrics] lists all that is exported. It is the one place to change for a new metric.
package collector
