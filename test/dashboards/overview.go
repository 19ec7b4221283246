package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// sessionLegend is the name of a series of a session.
const sessionLegend = "{{target}} / {{session}}"

// overview returns the dashboard for a wall and for the first look when something is wrong.
func overview() *dashboard.DashboardBuilder {
	b := board(overviewUID, "HMP Overview",
		"All HMPs and sessions: which are not valid, and why? If two exporters watch a session, it counts once.")
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

// overviewNow adds the panels that say what is wrong now.
func overviewNow(b *dashboard.DashboardBuilder) {
	b.WithPanel(zeroCount(panel{
		title: "Sessions not valid", width: 6, height: 4,
		description: "Sessions that are not valid, and the number of all sessions. If exporters disagree, the session is not valid. " +
			"Missing sessions do not count here.",
	}, valid()))
	b.WithPanel(zeroCount(panel{
		title: "HMPs not answering", width: 6, height: 4,
		description: "HMPs that did not answer the last probe of any session, and the number of all HMPs. If the exporter could not " +
			"send a probe, for example without a token file, the HMP counts as not answering.",
	}, answering()))
	b.WithPanel(statPanel(panel{
		title: "Sessions missing", unit: units.Number, width: 6, height: 4,
		description: "Sessions that Prometheus does not scrape any more. While an exporter is down or a scrape fails, they count for a " +
			"day. After they are removed from the configuration, they count for an hour.",
		queries: oneQuery(missing(), "missing"),
	}, oneOrMore(bad)))
	b.WithPanel(statPanel(panel{
		title: "Service messages", unit: units.Number, width: 6, height: 4,
		description: "Service messages of HMP for the users of valid sessions. A message for two users counts twice. Sessions that are " +
			"not valid have none.",
		queries: oneQuery("sum("+perSession("max", collector.SessionMessages)+")", "messages"),
		absent:  "No valid session",
	}, oneOrMore(warning)))
	b.WithPanel(failingTable())
}

// zeroCount returns a panel with the number of zeros and of all samples of a vector.
func zeroCount(p panel, vector string) dashboardPanel {
	p.unit = units.Number
	p.queries = []query{{"sum(1 - " + vector + ")", "now"}, {"count(" + vector + ")", "of"}}
	return statPanel(p, oneOrMore(bad)).OverrideByName("of", []dashboard.DynamicConfigValue{fixedColor(plain)})
}

// failingTable returns a table of the sessions that are not valid, the worst results first.
func failingTable() dashboardPanel {
	ofFailing := func(vector string) string { return vector + " and on (target, session) " + valid() + " == 0" }
	return tablePanel(panel{
		title: "Sessions that fail", width: 24, height: 7,
		description: "Sessions that are not valid now. Since: for how long, at most one day. Click on a row to open the session.",
	}, sorted{"Result", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: ofFailing(resultNumber()), title: "Result", unit: units.Number, names: resultNames()},
		{expr: ofFailing(unchanged()), title: "Since"},
		{expr: ofFailing(perSession("max", collector.SessionProbeDuration)), title: "Latency"},
	}).
		OverrideByName("Session", linkTo(sessionLink())).
		OverrideByName("HMP", linkTo(sessionLink())).
		NoValue("No scraped session fails")
}

// overviewNext adds the panels that say what will fail next.
func overviewNext(b *dashboard.DashboardBuilder) {
	used := perSession("max", collector.SessionProbeDuration) + " / " + perSession("min", collector.SessionProbeTimeout)
	b.WithPanel(statPanel(panel{
		title: "Probe nearest its timeout", unit: units.PercentUnit, width: 8, height: 4,
		description: "The probe that used most of its timeout, failed probes included. At 100 % the probe reached the timeout.",
		queries:     oneQuery("topk(1, "+used+")", sessionLegend),
		absent:      "No probe",
	}, timeoutSteps()).Decimals(0))
	b.WithPanel(statPanel(panel{
		title: "Next token to expire", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the next token of an API key expires. The exporter renews a token in the last tenth of its lifetime or " +
			"a little earlier. If the time is negative, the renewal failed.",
		queries: oneQuery(fmt.Sprintf("bottomk(1, %s - time())", perSession("min", collector.SessionTokenExpiry)), sessionLegend),
		absent:  "No session has a key",
	}, tokenSteps()).Decimals(1))
	b.WithPanel(statPanel(panel{
		title: "Next certificate to expire", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the earliest expiry in the certificate chain of an HMP.",
		queries:     oneQuery(fmt.Sprintf("bottomk(1, %s - time())", certificateExpiry()), "{{target}}"),
		absent:      "No certificate",
	}, certificateSteps()).Decimals(1))
}

func overviewResults(b *dashboard.DashboardBuilder) {
	b.WithPanel(timeline(panel{
		title: "Results over time", unit: units.Number, width: 16, height: 2*overviewRows + 3,
		description: fmt.Sprintf("The result of each probe. A gap means no data. Of many sessions, the %d that were not valid for the "+
			"longest time in the time range.", overviewRows),
		queries: oneQuery(highest(overviewRows, resultNumber(), failureRank()), sessionLegend),
	}, resultNames()))
	b.WithPanel(tablePanel(panel{
		title: "Sessions by result", width: 8, height: 2*overviewRows + 3,
		description: "The results of the last probes. If two exporters disagree about a session, it counts for both results.",
	}, sorted{"Sessions", true}, [][2]string{{"result", "Result"}}, []column{
		{expr: resultCounts(), title: "Sessions", unit: units.Number},
	}).
		OverrideByName("Result", resultTextColors()).
		NoValue("No data"))
}

func overviewGraphs(b *dashboard.DashboardBuilder) {
	slowest := "max by (target) (" + selector(collector.SessionProbeDuration, chosenSessions) + ")"
	rank := "max by (target) (avg_over_time(" + selector(collector.SessionProbeDuration, chosenSessions) + "[$__range] @ end()))"
	b.WithPanel(withThresholds(graph(panel{
		title: "Latency by HMP", unit: units.Seconds, width: 8, height: 11,
		description: fmt.Sprintf("The duration of the slowest probe of each HMP, for the %d HMPs that are slowest on average.", maxLines),
		queries:     oneQuery(fmt.Sprintf("%s and on (target) topk(%d, %s)", slowest, maxLines, rank), "{{target}}"),
	}), latencySteps()))
	b.WithPanel(graphWithUsualRange(panel{
		title: "Latency and its usual range", width: 8, height: 11,
		description: "The average probe duration of all chosen sessions. The area is the mean of the last day, plus and minus two " +
			"standard deviations. Choose one HMP to see its own.",
		queries: oneQuery(averageLatency(), "average"),
	}, averageLatency()))
	b.WithPanel(stacked(graph(panel{
		title: "Error codes", unit: units.Number, width: 8, height: 11,
		description: "Sessions that HMP answers with an error code. 020001: the user has no role, or HMP does not accept the token. " +
			"070000: an internal error. 090002: HMP cannot reach its authentication server. HMP Session shows other codes.",
		queries: oneQuery(errorCodes(`code=~"020001|070000|090002"`), "{{code}} {{name}}"),
	})))
}

// hmpTable returns a table of all HMPs.
func hmpTable() dashboardPanel {
	ofTarget := func(how, vector string) string { return how + " by (target) (" + vector + ")" }
	return tablePanel(panel{
		title: "HMPs", width: 24, height: 9,
		description: "Every HMP with its version, if HMP tells it, its slowest probe now and its certificate. Click on a row to open its " +
			"sessions.",
	}, sorted{"Not valid", true}, [][2]string{{"target", "HMP"}, {"version", "Version"}, {"build", "Build"}}, []column{
		{expr: ofTarget("sum", valid()), title: "Valid", unit: units.Number},
		{expr: ofTarget("count", valid()), title: "Sessions", unit: units.Number},
		{expr: ofTarget("sum", "1 - "+valid()), title: "Not valid", unit: units.Number, thresholds: oneOrMore(bad)},
		{expr: ofTarget("max", perSession("max", collector.SessionProbeDuration)), title: "Slowest probe", thresholds: latencySteps()},
		{expr: certificateExpiry() + " - time()", title: "Certificate expires in", thresholds: certificateSteps()},
		{expr: versions(), title: "Info", unit: units.Number},
	}).
		OverrideByName("Info", hidden()).
		OverrideByName("HMP", linkTo(hmpLink())).
		NoValue("No HMP is scraped")
}

// sessionTable returns a table of all sessions, the worst results first.
func sessionTable() dashboardPanel {
	certificate := fmt.Sprintf("0 * %s + on (target) group_left () (%s - time())", valid(), certificateExpiry())
	return tablePanel(panel{
		title: "Sessions", width: 24, height: 14,
		description: "Every session. Since: for how long it has been valid or not, at most one day. An unknown token or certificate is " +
			"blank. Click on a row to open the session.",
	}, sorted{"Result", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: resultNumber(), title: "Result", unit: units.Number, names: resultNames()},
		{expr: unchanged(), title: "Since", unit: units.Seconds},
		{expr: perSession("max", collector.SessionProbeDuration), title: "Latency", thresholds: latencySteps()},
		{expr: perSession("max", collector.SessionMessages), title: "Messages", unit: units.Number},
		{expr: perSession("min", collector.SessionTokenExpiry) + " - time()", title: "Token expires in", thresholds: tokenSteps()},
		{expr: certificate, title: "Certificate expires in", thresholds: certificateSteps()},
	}).
		OverrideByName("Session", linkTo(sessionLink())).
		OverrideByName("HMP", linkTo(sessionLink()))
}

// alertTable returns a table of the current alerts.
func alertTable() dashboardPanel {
	return tablePanel(panel{
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
		OverrideByName("Alerts", hidden()).
		OverrideByName("State", []dashboard.DynamicConfigValue{stateColors(), cellType(common.TableCellDisplayModeColorText)}).
		OverrideByName("Session", linkTo(sessionLink())).
		NoValue("No alert is pending or firing, or Prometheus has not loaded the rules")
}
