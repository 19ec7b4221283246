package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// bySession is the name of a series of a session.
const bySession = "{{target}} / {{session}}"

// overview returns the dashboard for a wall and for the first look when something is wrong.
func overview() *dashboard.DashboardBuilder {
	b := board(overviewUID, "HMP Overview",
		"All HMPs and sessions: which are not valid, and why? If two exporters watch a session, it counts once.",
		"1m")
	overviewNow(b)
	overviewNext(b)
	overviewResults(b)
	overviewGraphs(b)
	return b.
		WithRow(dashboard.NewRowBuilder("All HMPs, sessions and alerts")).
		WithPanel(hmpTable()).
		WithPanel(sessionTable()).
		WithPanel(alertTable())
}

// overviewNow adds what is wrong now.
func overviewNow(b *dashboard.DashboardBuilder) {
	b.WithPanel(zeros(panel{
		title: "Sessions not valid", width: 6, height: 4,
		description: "Sessions that are not valid, and the number of all sessions. If exporters disagree, the session is not valid. " +
			"Missing sessions do not count here.",
	}, valid()))
	b.WithPanel(zeros(panel{
		title: "HMPs not answering", width: 6, height: 4,
		description: "HMPs that did not answer the last probe of any session, and the number of all HMPs. If the exporter could not " +
			"send a probe, for example without a token file, the HMP counts as not answering.",
	}, answering()))
	b.WithPanel(numbers(panel{
		title: "Sessions missing", unit: units.Number, width: 6, height: 4,
		description: "Sessions that Prometheus does not scrape any more. While an exporter is down or a scrape fails, they count for a " +
			"day. After they are removed from the configuration, they count for an hour.",
		queries: one(missing(), "missing"),
	}, anyIs(bad)))
	b.WithPanel(numbers(panel{
		title: "Service messages", unit: units.Number, width: 6, height: 4,
		description: "Service messages of HMP for the users of valid sessions. A message for two users counts twice. Sessions that are " +
			"not valid have none.",
		queries: one("sum("+each("max", collector.SessionMessages)+")", "messages"),
		absent:  "No valid session",
	}, anyIs(warning)))
	b.WithPanel(failingTable())
}

// overviewNext adds what will fail next.
func overviewNext(b *dashboard.DashboardBuilder) {
	limit := each("max", collector.SessionProbeDuration) + " / " + each("min", collector.SessionProbeTimeout)
	b.WithPanel(numbers(panel{
		title: "Probe nearest its limit", unit: units.PercentUnit, width: 8, height: 4,
		description: "The probe that used most of its timeout, failed probes included. At 100 % the probe reached the timeout.",
		queries:     one("topk(1, "+limit+")", bySession),
		absent:      "No probe",
	}, limitSteps()).Decimals(0))
	b.WithPanel(numbers(panel{
		title: "Next token to end", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the next token of an API key expires. The exporter renews a token in the last tenth of its lifetime or " +
			"a little earlier. If the time is negative, the renewal failed.",
		queries: one(fmt.Sprintf("bottomk(1, %s - time())", each("min", collector.SessionTokenExpiry)), bySession),
		absent:  "No session has a key",
	}, tokenSteps()).Decimals(1))
	b.WithPanel(numbers(panel{
		title: "Next certificate to end", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the earliest expiry in the certificate chain of an HMP.",
		queries:     one(fmt.Sprintf("bottomk(1, %s - time())", certificates()), "{{target}}"),
		absent:      "No certificate",
	}, certificateSteps()).Decimals(1))
}

// failingTable returns a table of the sessions that are not valid, the worst results first.
func failingTable() dashboardPanel {
	failing := func(vector string) string { return vector + " and on (target, session) " + valid() + " == 0" }
	return list(panel{
		title: "Sessions that fail", width: 24, height: 7,
		description: "Sessions that are not valid now. Since: for how long, at most one day. Click on a row to open the session.",
	}, sorted{"Result", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: failing(resultNumber()), title: "Result", unit: units.Number, names: resultNames()},
		{expr: failing(unchanged()), title: "Since"},
		{expr: failing(each("max", collector.SessionProbeDuration)), title: "Latency"},
	}).
		OverrideByName("Session", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		OverrideByName("HMP", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		NoValue("No scraped session fails")
}

// hmpTable returns a table of all HMPs.
func hmpTable() dashboardPanel {
	ofTarget := func(how, vector string) string { return how + " by (target) (" + vector + ")" }
	return list(panel{
		title: "HMPs", width: 24, height: 9,
		description: "Every HMP with its version, if HMP tells it, its slowest probe now and its certificate. Click on a row to open its " +
			"sessions.",
	}, sorted{"Not valid", true}, [][2]string{{"target", "HMP"}, {"version", "Version"}, {"build", "Build"}}, []column{
		{expr: ofTarget("sum", valid()), title: "Valid", unit: units.Number},
		{expr: ofTarget("count", valid()), title: "Sessions", unit: units.Number},
		{expr: ofTarget("sum", "1 - "+valid()), title: "Not valid", unit: units.Number, thresholds: anyIs(bad)},
		{expr: ofTarget("max", each("max", collector.SessionProbeDuration)), title: "Slowest probe", thresholds: latencySteps()},
		{expr: certificates() + " - time()", title: "Certificate ends in", thresholds: certificateSteps()},
		{expr: versions(), title: "Info", unit: units.Number},
	}).
		OverrideByName("Info", []dashboard.DynamicConfigValue{{Id: "custom.hidden", Value: true}}).
		OverrideByName("HMP", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{hmpLink()}}}).
		NoValue("No HMP is scraped")
}

// answering is 1 for each HMP that answered, and 0 for others.
func answering() string {
	return fmt.Sprintf("max by (target) (%s or 0 * %s)",
		selector(collector.Up, chosen), selector(collector.SessionValid, chosen))
}

// zeros returns a panel with the number of zeros and of all samples of a vector.
func zeros(p panel, vector string) dashboardPanel {
	p.unit = units.Number
	p.queries = []query{{"sum(1 - " + vector + ")", "now"}, {"count(" + vector + ")", "of"}}
	return numbers(p, anyIs(bad)).OverrideByName("of", []dashboard.DynamicConfigValue{fixed(plain)})
}

func overviewResults(b *dashboard.DashboardBuilder) {
	b.WithPanel(states(panel{
		title: "Results over time", unit: units.Number, width: 16, height: 2*overviewRows + 3,
		description: "Every session. Since: for how long it has been valid or not, at most one day. An unknown token or certificate is " +
			"blank. Click on a row to open the session.",
		queries: one(highest(overviewRows, resultNumber(), failing()), bySession),
	}, resultNames()))
	b.WithPanel(list(panel{
		title: "Sessions by result", width: 8, height: 2*overviewRows + 3,
		description: "The results of the last probes. If two exporters disagree about a session, it counts for both results.",
	}, sorted{"Sessions", true}, [][2]string{{"result", "Result"}}, []column{
		{expr: resultCounts(), title: "Sessions", unit: units.Number},
	}).
		OverrideByName("Result", resultTextColors()).
		NoValue("No data"))
}

func overviewGraphs(b *dashboard.DashboardBuilder) {
	slowest := "max by (target) (" + selector(collector.SessionProbeDuration, chosen) + ")"
	rank := "max by (target) (avg_over_time(" + selector(collector.SessionProbeDuration, chosen) + "[$__range] @ end()))"
	b.WithPanel(limits(lines(panel{
		title: "Latency by HMP", unit: units.Seconds, width: 8, height: 11,
		description: fmt.Sprintf("The duration of the slowest probe of each HMP, for the %d HMPs that are slowest on average.", maxLines),
		queries:     one(fmt.Sprintf("%s and on (target) topk(%d, %s)", slowest, maxLines, rank), "{{target}}"),
	}), latencySteps()))
	b.WithPanel(band(panel{
		title: "Latency and where it usually is", width: 8, height: 11,
		description: "The average probe duration of all chosen sessions. The area is the mean of the last day, plus and minus two " +
			"standard deviations. Choose one HMP to see its own.",
		queries: one(latency(), "average"),
	}, latency()))
	b.WithPanel(stacked(lines(panel{
		title: "Error codes", unit: units.Number, width: 8, height: 11,
		description: "Sessions that HMP answers with an error code. 020001: the user has no role, or HMP does not accept the token. " +
			"070000: an internal error. 090002: HMP cannot reach its authentication server. HMP Session shows other codes.",
		queries: one(errorCodes(`code=~"020001|070000|090002"`), "{{code}} {{name}}"),
	})))
}

// sessionTable returns a table of all sessions, the worst results first.
func sessionTable() dashboardPanel {
	certificate := fmt.Sprintf("0 * %s + on (target) group_left () (%s - time())", valid(), certificates())
	return list(panel{
		title: "Sessions", width: 24, height: 14,
		description: "Every session. Since: for how long it has been valid, or not, as far as a day back. A token or a " +
			"certificate that is not known is left blank. A row leads to the session's own dashboard.",
	}, sorted{"Result", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: resultNumber(), title: "Result", unit: units.Number, names: resultNames()},
		{expr: unchanged(), title: "Since", unit: units.Seconds},
		{expr: each("max", collector.SessionProbeDuration), title: "Latency", thresholds: latencySteps()},
		{expr: each("max", collector.SessionMessages), title: "Messages", unit: units.Number},
		{expr: each("min", collector.SessionTokenExpiry) + " - time()", title: "Token ends in", thresholds: tokenSteps()},
		{expr: certificate, title: "Certificate ends in", thresholds: certificateSteps()},
	}).
		OverrideByName("Session", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		OverrideByName("HMP", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}})
}

// unchanged is for how many seconds each session has been valid or not, at most a day.
func unchanged() string {
	last := func(when string) string { return "max_over_time(timestamp(" + valid() + when + ")[1d:1m])" }
	return fmt.Sprintf("time() - ((%s and %s == 1) or (%s and %s == 0) or (min_over_time(timestamp(%s)[1d:1m]) and %s))",
		last(" == 0"), valid(), last(" == 1"), valid(), valid(), valid())
}

// alertTable returns a table of the current alerts.
func alertTable() dashboardPanel {
	return list(panel{
		title: "Alerts", width: 24, height: 8,
		description: "Pending and firing alerts. If there are none, check that Prometheus has loaded the rules.",
	}, sorted{"State", false}, [][2]string{
		{"alertstate", "State"}, {"severity", "Severity"}, {"alertname", "Alert"}, {"target", "HMP"}, {"session", "Session"},
	}, []column{
		{
			expr:  "max by (alertname, severity, alertstate, target, session) (" + alerts() + ")",
			title: "Alerts", unit: units.Number,
		},
	}).
		OverrideByName("Alerts", []dashboard.DynamicConfigValue{{Id: "custom.hidden", Value: true}}).
		OverrideByName("State", []dashboard.DynamicConfigValue{stateColors(), cells(common.TableCellDisplayModeColorText)}).
		OverrideByName("Session", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		NoValue("No alert is pending or firing, or Prometheus has not loaded the rules")
}
