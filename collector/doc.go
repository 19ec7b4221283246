// Package collector answers scrapes: it probes the requested sessions and turns their
// results into metrics.
//
// The data goes one way:
//
//	a Request → the sessions of the snapshot (snapshot.go)
//	→ for each session the probe under way, or a new one (shared_probe.go)
//	→ a slot of the limiter (limiter.go)
//	→ secrets, token and HMP (probe.go, package token, package hmp)
//	→ a Result, which is counted, recorded and logged (state.go, history.go)
//	→ samples by the table of metrics (metrics.go, exposition.go)
//
// A probe runs in a goroutine of its own and belongs to the name of its session. So scrapes
// share it, and a reload does not repeat it. A scrape waits until its own deadline, even if
// the probe goes on. If both have the same deadline, the scrape waits 25 ms longer.
//
// These outlive a scrape: tokens, counters, a short history, the last logged failure and the
// probe under way of a session, and the version and the limit of a target. Probing comes before gathering, because a prometheus.Collector has no context.
//
// The text writer (WriteText) writes the samples of sessions directly. A registry would
// check the same names and labels at every scrape. Tests check them instead, with packages
// expfmt and promlint. [Families] is for formats other than text.
//
// [Metrics] lists all exported metrics. To add a metric, add a row to it.
package collector
