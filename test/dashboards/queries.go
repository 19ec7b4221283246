package main

import (
	"fmt"
	"strings"

	"hmp_exporter/collector"
)

// What the reader chose. The labels target and session identify a session. Queries merge exporters
// and jobs that have the same session, so it counts once.
const (
	scope  = `job=~"$job", instance=~"$instance"`
	chosen = scope + `, target=~"$target", session=~"$session"`
	ofHMPs = scope + `, target=~"$target"`
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

// each returns a metric by session. If exporters disagree, how decides: max or min.
func each(how, metric string, matchers ...string) string {
	return how + " by (target, session) (" + selector(metric, append([]string{chosen}, matchers...)...) + ")"
}

// valid is 1 for each session that is valid for all its exporters.
func valid() string { return each("min", collector.SessionValid) }

// missing counts sessions of the last hour that are gone. If the scrape of a session fails, the
// session counts for a day.
func missing() string {
	were := func(within string) string {
		return "last_over_time(" + selector(collector.SessionValid, chosen) + "[" + within + "])"
	}
	all := fmt.Sprintf("%s or %s and on (job, instance) %s == 0", were("1h"), were("1d"), selector("up", scope))
	return fmt.Sprintf("count(count by (target, session) (%s)) - (count(%s) or vector(0))", all, valid())
}

// versions has a series for each HMP with its version and build, or "unknown", for example with
// --no-collector.version. During an upgrade exporters may see two versions; it has one of them.
func versions() string {
	return fmt.Sprintf("topk by (target) (1, max by (target, version, build) (%s))"+
		" or on (target) label_replace(%s, \"version\", \"unknown\", \"\", \"\")", selector(collector.Info, ofHMPs), answering())
}

// certificates is the expiry of the certificate of each HMP.
func certificates() string {
	return "min by (target) (" + selector(collector.TLSCertificateExpiry, ofHMPs) + ")"
}

// overRange reduces a metric of a session to one number over the time range. It is the same at
// every step of a graph.
func overRange(how, function, metric string) string {
	return fmt.Sprintf("%s by (target, session) (%s(%s[$__range] @ end()))", how, function, selector(metric, chosen))
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

// failing ranks sessions by the share of the time range in which they were not valid.
func failing() string { return "1 - " + overRange("min", "avg_over_time", collector.SessionValid) }

// perHour returns the increase of a session's counter per hour. If several exporters have the
// session, the highest value counts.
func perHour(metric string, by ...string) string {
	labels := strings.Join(append([]string{"target", "session"}, by...), ", ")
	return fmt.Sprintf("3600 * max by (%s) (rate(%s[$__rate_interval]))", labels, selector(metric, chosen))
}

// latency is the average probe duration of the sessions.
func latency() string { return "avg(" + each("max", collector.SessionProbeDuration) + ")" }

// usually returns the mean of a value in the last day, plus or minus standard deviations.
func usually(value, deviations string) string {
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
	return vector + " and on (job, instance) " + selector(collector.BuildInfo, scope)
}

// ofScrapes restricts a metric of scrapes to scrapes of exporters and sessions in the last day.
func ofScrapes(vector string) string {
	return fmt.Sprintf("%s and on (job, instance) (last_over_time(%s[1d]) or last_over_time(%s[1d]))",
		vector, selector(collector.BuildInfo, scope), selector(collector.SessionValid, scope))
}

// byInstance merges jobs that scrape the same exporter.
func byInstance(vector string, by ...string) string {
	labels := strings.Join(append([]string{"instance"}, by...), ", ")
	return fmt.Sprintf("max by (%s) (%s)", labels, vector)
}
