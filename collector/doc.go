// Package collector answers scrapes: it probes the requested sessions and turns their
// results into metrics.
//
// To follow a scrape, read these files in this order:
//
//	collector.go     a Request becomes a probe for each session
//	shared_probe.go  scrapes share the probe of a session and wait for its result
//	probe.go         a probe reads the secrets and asks the HMP, with packages token and hmp
//	result.go        a Result is what a probe found
//	metrics.go       the table of all metrics, with the samples of a Result
//	exposition.go    writes the samples
//
// They use these files:
//
//	snapshot.go      the targets and sessions of one configuration
//	secrets.go       the secrets of a session
//	limiter.go       how many probes of a target are under way
//	slot.go          the slot that a probe needs from the limiter
//	fifo.go          the queues of the limiter
//	state.go         what is known of a session from probe to probe
//	history.go       the last results of a session, for pages
//	log.go           the log line about a changed result
//	hmp_version.go   the version of the HMP, from a request of its own
//
// These files are not part of a scrape:
//
//	background.go    probes without a scrape, with --probe.interval
//	retry_login.go   a login that a person asks for
//	self_metrics.go  the metrics about the exporter itself, without those of package web
//
// These outlive a scrape: tokens; the state of a session with its probe under way; the version
// and the limit of a target. Probes are made before gathering, because a prometheus.Collector
// has no context.
//
// [WriteText] writes the samples of sessions directly. A registry would check the same names
// and labels at every scrape. Tests check them instead, with packages expfmt and promlint.
// [Families] is for formats other than text.
package collector
