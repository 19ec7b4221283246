package main

import (
	"fmt"
	"strings"

	"hmp_exporter/collector"
)

// What a reader chose. A session is known by its target and its name: two exporters that watch it, or two jobs that
// scrape one exporter, are merged by these and do not count twice.
const (
	scope  = `job=~"$job", instance=~"$instance"`
	chosen = scope + `, target=~"$target", session=~"$session"`
	ofHMPs = scope + `, target=~"$target"`
)

// How many sessions or HMPs graphs show by name. Rows of states need two units of height each to be read.
const (
	mostLines    = 10
	overviewRows = 6
	sessionRows  = 3
)

// selector writes a metric with its matchers.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// each is a metric by session. Where exporters disagree, how tells which of them is shown: max or min.
func each(how, metric string, matchers ...string) string {
	return how + " by (target, session) (" + selector(metric, append([]string{chosen}, matchers...)...) + ")"
}

// valid is 1 for each session that is valid as far as every exporter that watches it can tell.
func valid() string { return each("min", collector.SessionValid) }

// missing is how many sessions there were and are not: within the hour, and within the day where the scrape that had
// them is still to be made and fails.
func missing() string {
	were := func(within string) string {
		return "last_over_time(" + selector(collector.SessionValid, chosen) + "[" + within + "])"
	}
	all := fmt.Sprintf("%s or %s and on (job, instance) %s == 0", were("1h"), were("1d"), selector("up", scope))
	return fmt.Sprintf("count(count by (target, session) (%s)) - (count(%s) or vector(0))", all, valid())
}

// versions is a series for each HMP with the version and the build that it says, or "unknown", as with
// --no-collector.version. Of two versions, which exporters may see during an upgrade, one is shown.
func versions() string {
	return fmt.Sprintf("topk by (target) (1, max by (target, version, build) (%s))"+
		" or on (target) label_replace(%s, \"version\", \"unknown\", \"\", \"\")", selector(collector.Info, ofHMPs), answering())
}

// certificates is when the certificates of each HMP end.
func certificates() string {
	return "min by (target) (" + selector(collector.TLSCertificateExpiry, ofHMPs) + ")"
}

// overRange is a metric by session, reduced over the time that is shown to one number: the same at every step of a
// graph.
func overRange(how, function, metric string) string {
	return fmt.Sprintf("%s by (target, session) (%s(%s[$__range] @ end()))", how, function, selector(metric, chosen))
}

// highest keeps the n sessions of a vector that have the highest rank. The rank is the same at every step of a graph,
// so that no more than these are ever seen.
func highest(n int, vector, rank string) string {
	return fmt.Sprintf("%s and on (target, session) topk(%d, %s)", vector, n, rank)
}

// lowest is highest, from the other end.
func lowest(n int, vector, rank string) string {
	return fmt.Sprintf("%s and on (target, session) bottomk(%d, %s)", vector, n, rank)
}

// failing ranks sessions by how much of the time that is shown they were not valid.
func failing() string { return "1 - " + overRange("min", "avg_over_time", collector.SessionValid) }

// perHour is how much a counter of sessions counts in an hour, by session and perhaps other labels. Of several
// exporters that watch a session it is the one that counts most.
func perHour(metric string, by ...string) string {
	labels := strings.Join(append([]string{"target", "session"}, by...), ", ")
	return fmt.Sprintf("3600 * max by (%s) (rate(%s[$__rate_interval]))", labels, selector(metric, chosen))
}

// latency is how long the probe of a session takes, on average over the sessions.
func latency() string { return "avg(" + each("max", collector.SessionProbeDuration) + ")" }

// usually is where a value mostly was within the day: so many standard deviations away from its mean. With less history
// than a day it takes what there is.
func usually(value, deviations string) string {
	day := "(" + value + ")[1d:1m]"
	return fmt.Sprintf("clamp_min(avg_over_time(%s) %s * stddev_over_time(%s), 0)", day, deviations, day)
}

// alerts are those of this product, without HMPWatchdog, which always fires. Some are about no session, and some about
// no instance, so that these labels may be missing; every other metric has to have them.
func alerts(matchers ...string) string {
	all := []string{`alertname=~"HMP.+"`, `severity!="none"`}
	for _, label := range []string{"job", "instance", "target", "session"} {
		all = append(all, fmt.Sprintf(`%s=~"$%s|"`, label, label))
	}
	return selector("ALERTS", append(all, matchers...)...)
}

// ofExporters keeps of any metric what the exporters say about themselves: programs of other kinds have metrics of the
// same name.
func ofExporters(vector string) string {
	return vector + " and on (job, instance) " + selector(collector.BuildInfo, scope)
}

// ofScrapes keeps of what Prometheus says about scrapes those that had exporters or sessions within the day.
func ofScrapes(vector string) string {
	return fmt.Sprintf("%s and on (job, instance) (last_over_time(%s[1d]) or last_over_time(%s[1d]))",
		vector, selector(collector.BuildInfo, scope), selector(collector.SessionValid, scope))
}

// byInstance merges jobs that scrape the same exporter.
func byInstance(vector string, by ...string) string {
	labels := strings.Join(append([]string{"instance"}, by...), ", ")
	return fmt.Sprintf("max by (%s) (%s)", labels, vector)
}
