package main

import (
	"fmt"
	"strings"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// What the reader chose. The labels target and session identify a session. Queries merge exporters
// and jobs that have the same session, so it counts once.
const (
	chosenExporters = `job=~"$job", instance=~"$instance"`
	chosenSessions  = chosenExporters + `, target=~"$target", session=~"$session"`
	chosenHMPs      = chosenExporters + `, target=~"$target"`
)

// The number of series in graphs. A readable row of a state timeline needs two units of height.
const (
	maxLines     = 10
	overviewRows = 6
	sessionRows  = 3
)

// selector returns a metric with matchers.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// perSession returns a metric by session. If exporters disagree, how decides: max or min.
func perSession(how, metric string, matchers ...string) string {
	return how + " by (target, session) (" + selector(metric, append([]string{chosenSessions}, matchers...)...) + ")"
}

// valid is 1 for each session that is valid for all its exporters.
func valid() string { return perSession("min", collector.SessionValid) }

// missing counts sessions of the last hour that are gone. If the scrape of a session fails, the
// session counts for a day.
func missing() string {
	were := func(within string) string {
		return "last_over_time(" + selector(collector.SessionValid, chosenSessions) + "[" + within + "])"
	}
	all := fmt.Sprintf("%s or %s and on (job, instance) %s == 0", were("1h"), were("1d"), selector("up", chosenExporters))
	return fmt.Sprintf("count(count by (target, session) (%s)) - (count(%s) or vector(0))", all, valid())
}

// unchanged is for how many seconds each session has been valid or not, at most a day.
func unchanged() string {
	last := func(when string) string { return "max_over_time(timestamp(" + valid() + when + ")[1d:1m])" }
	return fmt.Sprintf("time() - ((%s and %s == 1) or (%s and %s == 0) or (min_over_time(timestamp(%s)[1d:1m]) and %s))",
		last(" == 0"), valid(), last(" == 1"), valid(), valid(), valid())
}

// answering is 1 for each HMP that answered, and 0 for others. A response that did not end in time
// does not count, as for the alert HMPUnreachable.
func answering() string {
	return fmt.Sprintf("max by (target) (%s unless ignoring (result) %s == 1 or 0 * %s)",
		selector(collector.Up, chosenSessions),
		selector(collector.SessionProbeResult, chosenSessions, `result="timeout"`),
		selector(collector.SessionValid, chosenSessions))
}

// versions has a series for each HMP with its version and build, or "unknown", for example with
// --no-collector.version. If exporters see two versions during an upgrade, the series has one of them.
func versions() string {
	return fmt.Sprintf("topk by (target) (1, max by (target, version, build) (%s))"+
		" or on (target) label_replace(%s, \"version\", \"unknown\", \"\", \"\")", selector(collector.Info, chosenHMPs), answering())
}

// certificateExpiry is when the certificate of each HMP expires.
func certificateExpiry() string {
	return "min by (target) (" + selector(collector.TLSCertificateExpiry, chosenHMPs) + ")"
}

// resultNumber is the number of each session's result: valid is 1, and a session without a result
// has the highest number. If exporters disagree, the higher number counts.
func resultNumber() string {
	parts := make([]string, 0, len(hmp.Results)+1)
	for i, o := range hmp.Results {
		parts = append(parts, fmt.Sprintf("%d * %s", i+1,
			selector(collector.SessionProbeResult, chosenSessions, fmt.Sprintf("result=%q", o.Result))))
	}
	parts = append(parts, fmt.Sprintf("%d * (1 - max without (result) (%s))", len(hmp.Results)+1,
		selector(collector.SessionProbeResult, chosenSessions)))
	return "max by (target, session) (\n  " + strings.Join(parts, "\n  or ") + "\n)"
}

// resultCounts counts the sessions with each result and without one.
func resultCounts() string {
	all := selector(collector.SessionProbeResult, chosenSessions)
	return fmt.Sprintf("sort_desc(sum by (result) (max by (target, session, result) (%s)) > 0"+
		" or label_replace(count(max by (target, session) (%s) == 0), \"result\", %q, \"\", \"\"))", all, all, noResult)
}

// overRange reduces a metric of a session to one number over the time range. It is the same at
// every step of a graph.
func overRange(how, function, metric string) string {
	return fmt.Sprintf("%s by (target, session) (%s(%s[$__range] @ end()))", how, function, selector(metric, chosenSessions))
}

// highest returns the n sessions with the highest rank. The rank must be the same at every step of
// a graph, so the graph has only n series.
func highest(n int, vector, rank string) string {
	return fmt.Sprintf("%s and on (target, session) topk(%d, %s)", vector, n, rank)
}

// lowest returns the n sessions with the lowest rank.
func lowest(n int, vector, rank string) string {
	return fmt.Sprintf("%s and on (target, session) bottomk(%d, %s)", vector, n, rank)
}

// failureRank ranks sessions by the share of the time range in which they were not valid.
func failureRank() string { return "1 - " + overRange("min", "avg_over_time", collector.SessionValid) }

// perHour returns the increase of a session's counter per hour. If several exporters have the
// session, the highest value counts.
func perHour(metric string, by ...string) string {
	labels := strings.Join(append([]string{"target", "session"}, by...), ", ")
	return fmt.Sprintf("3600 * max by (%s) (rate(%s[$__rate_interval]))", labels, selector(metric, chosenSessions))
}

// errorCodes counts the sessions with each error code.
func errorCodes(matchers ...string) string {
	errors := selector(collector.SessionError, append([]string{chosenSessions}, matchers...)...)
	return "sum by (code, name) (max by (target, session, code, name) (" + errors + "))"
}

// averageLatency is the average probe duration of the sessions.
func averageLatency() string { return "avg(" + perSession("max", collector.SessionProbeDuration) + ")" }

// sessionPercentile returns a percentile of the probe durations of the slowest session.
func sessionPercentile(share string) string {
	return fmt.Sprintf("max(quantile_over_time(%s, %s[$__range]))",
		share, selector(collector.SessionProbeDuration, chosenSessions))
}

// usualRange returns the mean of a value in the last day, plus or minus standard deviations.
func usualRange(value, deviations string) string {
	day := "(" + value + ")[1d:1m]"
	return fmt.Sprintf("clamp_min(avg_over_time(%s) %s * stddev_over_time(%s), 0)", day, deviations, day)
}

// alerts selects the alerts of this product except HMPWatchdog, which always fires. Alerts may lack
// the labels of a session or an instance.
func alerts(matchers ...string) string {
	all := []string{`alertname=~"HMP.+"`, `severity!="none"`}
	for _, label := range []string{"job", "instance", "target", "session"} {
		all = append(all, fmt.Sprintf(`%s=~"$%s|"`, label, label))
	}
	return selector("ALERTS", append(all, matchers...)...)
}

// ofExporters restricts a metric to the exporters. Other programs have metrics with the same name.
func ofExporters(vector string) string {
	return vector + " and on (job, instance) " + selector(collector.BuildInfo, chosenExporters)
}

// ofScrapes restricts a metric of scrapes to scrapes of exporters and sessions in the last day.
func ofScrapes(vector string) string {
	return fmt.Sprintf("%s and on (job, instance) (last_over_time(%s[1d]) or last_over_time(%s[1d]))",
		vector, selector(collector.BuildInfo, chosenExporters), selector(collector.SessionValid, chosenExporters))
}

// byInstance merges jobs that scrape the same exporter.
func byInstance(vector string, by ...string) string {
	labels := strings.Join(append([]string{"instance"}, by...), ", ")
	return fmt.Sprintf("max by (%s) (%s)", labels, vector)
}

// exporterMetric returns a metric of the exporters themselves.
func exporterMetric(metric string) string { return ofExporters(selector(metric, chosenExporters)) }

// exporterRate returns the increase per second of an exporter's counter.
func exporterRate(metric string) string {
	return ofExporters("rate(" + selector(metric, chosenExporters) + "[$__rate_interval])")
}

// topInstances merges jobs that scrape the same exporter, and limits the number of exporters.
func topInstances(vector string) string {
	return fmt.Sprintf("topk(%d, %s)", 2*maxLines, byInstance(vector))
}

// probePercentile returns a percentile of all probes, from the native histogram if Prometheus has it.
func probePercentile(share string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum(%s)) or histogram_quantile(%s, sum by (le) (%s))",
		share, histogram("instance", collector.ExporterProbeDuration),
		share, histogram("instance, le", collector.ExporterProbeDuration+"_bucket"))
}

// histogram returns the observations per second of each exporter. All its jobs have the same.
func histogram(by, metric string) string {
	return fmt.Sprintf("avg by (%s) (rate(%s[$__rate_interval]))", by, selector(metric, chosenExporters))
}
