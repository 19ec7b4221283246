package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// bySession names a series after its session.
const bySession = "{{target}} / {{session}}"

// overview is the dashboard for a wall, and for the first look when something is wrong.
func overview() *dashboard.DashboardBuilder {
	b := board(overviewUID, "HMP Overview",
		"Are all sessions on all HMPs valid, and if not, which and why? Two exporters that watch one session count once.",
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

// overviewNow says what is wrong now: how many, and below which.
func overviewNow(b *dashboard.DashboardBuilder) {
	b.WithPanel(broken(panel{
		title: "Sessions not valid", width: 6, height: 4,
		description: "How many sessions are not valid, of how many. One that any exporter finds invalid is not. A session " +
			"that is not scraped any more is not among them: see the missing ones.",
	}, valid()))
	b.WithPanel(broken(panel{
		title: "HMPs not answering", width: 6, height: 4,
		description: "How many HMPs answered no last probe of any of their sessions, of how many. Those that nothing was " +
			"sent to, as a token file is missing or logins are suspended, do not count as answering.",
	}, answering()))
	b.WithPanel(numbers(panel{
		title: "Sessions missing", unit: units.Number, width: 6, height: 4,
		description: "Sessions that were scraped and are not now: for a day while the exporter is down or a scrape fails, " +
			"for an hour after they were taken out of the configuration.",
		queries: one(missing(), "missing"),
	}, anyIs(bad)))
	b.WithPanel(numbers(panel{
		title: "Service messages", unit: units.Number, width: 6, height: 4,
		description: "Service messages that HMP has for the users of valid sessions; one for two users counts twice. Only " +
			"valid sessions tell them.",
		queries: one("sum("+each("max", collector.SessionMessages)+")", "messages"),
		absent:  "No valid session",
	}, anyIs(warning)))
	b.WithPanel(failingTable())
}

// overviewNext says what comes next, with the name beside it.
func overviewNext(b *dashboard.DashboardBuilder) {
	limit := each("max", collector.SessionProbeDuration) + " / " + each("min", collector.SessionProbeTimeout)
	b.WithPanel(numbers(panel{
		title: "Probe nearest its limit", unit: units.PercentUnit, width: 8, height: 4,
		description: "The session whose probe took most of the time that it may take, failed ones included. At 100 % the " +
			"probe ran into its limit.",
		queries: one("topk(1, "+limit+")", bySession),
		absent:  "No probe",
	}, limitSteps()).Decimals(0))
	b.WithPanel(numbers(panel{
		title: "Next token to end", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the token of a session with an API key ends. The exporter renews it in the last tenth of " +
			"its life or a little earlier; below zero it could not be renewed.",
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

// failingTable is the sessions that are not valid, the worst results first.
func failingTable() dashboardPanel {
	failing := func(vector string) string { return vector + " and on (target, session) " + valid() + " == 0" }
	return list(panel{
		title: "Sessions that fail", width: 24, height: 7,
		description: "The sessions that are not valid now. Since: for how long, as far as a day back. A row leads to the " +
			"session's own dashboard.",
	}, sorted{"Result", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: failing(resultNumber()), title: "Result", unit: units.Number, names: resultNames()},
		{expr: failing(unchanged()), title: "Since"},
		{expr: failing(each("max", collector.SessionProbeDuration)), title: "Latency"},
	}).
		OverrideByName("Session", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		OverrideByName("HMP", []dashboard.DynamicConfigValue{{Id: "links", Value: []any{sessionLink()}}}).
		NoValue("No session fails, of those that are scraped")
}

// hmpTable is every HMP.
func hmpTable() dashboardPanel {
	ofTarget := func(how, vector string) string { return how + " by (target) (" + vector + ")" }
	return list(panel{
		title: "HMPs", width: 24, height: 9,
		description: "Every HMP with its version, where HMP tells it, its slowest probe now and its certificate. A row " +
			"leads to its sessions.",
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

// answering is 1 for each HMP that answered, and 0 also where nothing was sent.
func answering() string {
	return fmt.Sprintf("max by (target) (%s or 0 * %s)",
		selector(collector.Up, chosen), selector(collector.SessionValid, chosen))
}

// broken is how many of a vector of ones and zeros are zero, and of how many.
func broken(p panel, vector string) dashboardPanel {
	p.unit = units.Number
	p.queries = []query{{"sum(1 - " + vector + ")", "now"}, {"count(" + vector + ")", "of"}}
	return numbers(p, anyIs(bad)).OverrideByName("of", []dashboard.DynamicConfigValue{fixed(plain)})
}

func overviewResults(b *dashboard.DashboardBuilder) {
	b.WithPanel(states(panel{
		title: "Results over time", unit: units.Number, width: 16, height: 2*overviewRows + 3,
		description: fmt.Sprintf("The %d sessions that were not valid for most of the time that is shown; sessions that "+
			"were always valid fill up the rest. A gap is no data.", overviewRows),
		queries: one(highest(overviewRows, resultNumber(), failing()), bySession),
	}, resultNames()))
	b.WithPanel(list(panel{
		title: "Sessions by result", width: 8, height: 2*overviewRows + 3,
		description: "What the last probes came to. A session that two exporters disagree about is under both results.",
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
		description: fmt.Sprintf("How long the slowest probe of each HMP takes, for the %d slowest on average.", mostLines),
		queries:     one(fmt.Sprintf("%s and on (target) topk(%d, %s)", slowest, mostLines, rank), "{{target}}"),
	}), latencySteps()))
	b.WithPanel(band(panel{
		title: "Latency and where it usually is", width: 8, height: 11,
		description: "How long probes take on average over all sessions chosen above. The area is the mean of the day " +
			"before, two standard deviations up and down. Choose one HMP to see its own.",
		queries: one(latency(), "average"),
	}, latency()))
	b.WithPanel(stacked(lines(panel{
		title: "Error codes", unit: units.Number, width: 8, height: 11,
		description: "Sessions that HMP answers with an error code: 020001 the user has no role or the token is not " +
			"accepted, 070000 an internal error, 090002 HMP cannot reach its authentication server. HMP Session shows the " +
			"others.",
		queries: one(errorCodes(`code=~"020001|070000|090002"`), "{{code}} {{name}}"),
	})))
}

// sessionTable is every session, the worst results first, with links to its own dashboard.
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

// unchanged is for how many seconds each session has been valid, or not, within a day: since the last moment at which
// it was otherwise, or else since it was first seen.
func unchanged() string {
	last := func(when string) string { return "max_over_time(timestamp(" + valid() + when + ")[1d:1m])" }
	return fmt.Sprintf("time() - ((%s and %s == 1) or (%s and %s == 0) or (min_over_time(timestamp(%s)[1d:1m]) and %s))",
		last(" == 0"), valid(), last(" == 1"), valid(), valid(), valid())
}

// alertTable is what Prometheus's alerts say at present.
func alertTable() dashboardPanel {
	return list(panel{
		title: "Alerts", width: 24, height: 8,
		description: "Alerts that wait or fire. None may also mean that Prometheus has not loaded the rules.",
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
		NoValue("No alert waits or fires, or Prometheus has not loaded the rules")
}
