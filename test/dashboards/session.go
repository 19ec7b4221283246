package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// session returns the dashboard about one session or a few. Alerts and tables link to it.
func session() *dashboard.DashboardBuilder {
	b := board(sessionUID, "HMP Session",
		"What is wrong with a session, since when, and what to do? Choose a session above. Of many, graphs show "+
			fmt.Sprint(maxLines)+".")
	sessionNumbers(b)
	sessionResults(b)
	sessionLatency(b)
	sessionToken(b)
	sessionUser(b)
	return b.
		WithRow(dashboard.NewRowBuilder("What results and codes mean")).
		WithPanel(text.NewPanelBuilder().
			Title("What to do").
			Description("Every result of a probe, and every documented error code of HMP.").
			Span(24).
			Height(resultHelpHeight()).
			Mode(text.TextModeMarkdown).
			Content(resultHelp()))
}

func sessionNumbers(b *dashboard.DashboardBuilder) {
	b.WithPanel(statPanel(panel{
		title: "Result", unit: units.Number, width: 9, height: 4,
		description: fmt.Sprintf("The result of the last probe. Of many sessions, the %d with the worst results. The meaning of each "+
			"result is at the bottom.", maxLines),
		queries: oneQuery(fmt.Sprintf("topk(%d, %s)", maxLines, resultNumber()), sessionLegend),
	}, neutral(), resultNames()...))
	b.WithPanel(statPanel(panel{
		title: "Availability", unit: units.PercentUnit, width: 5, height: 4,
		description: "The share of probes in the time range with a valid session. Missing scrapes do not count. The objective is 99.5 %.",
		queries: oneQuery(fmt.Sprintf("avg(min by (target, session) (avg_over_time(%s[$__range])))",
			selector(collector.SessionValid, chosenSessions)), "valid"),
	}, steps(bad, step{objective, warning}, step{1, good})).Decimals(2))
	b.WithPanel(statPanel(panel{
		title: "Latency in the time range", unit: units.Seconds, width: 10, height: 4,
		description: "Half, 95 % and 99 % of the probes in the time range took at most this long. Of several sessions, the slowest.",
		queries:     []query{{sessionPercentile("0.5"), "p50"}, {sessionPercentile("0.95"), "p95"}, {sessionPercentile("0.99"), "p99"}},
	}, latencySteps()))
	b.WithPanel(statPanel(panel{
		title: "Token expires in", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the token of an API key expires. If it is negative, the renewal failed. The expiry of a fixed token is " +
			"unknown.",
		queries: oneQuery(fmt.Sprintf("min(%s) - time()", perSession("min", collector.SessionTokenExpiry)), "token"),
		absent:  "No API key",
	}, tokenSteps()).Decimals(1))
	b.WithPanel(statPanel(panel{
		title: "Certificate expires in", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the earliest expiry in the certificate chain of the HMP.",
		queries:     oneQuery(fmt.Sprintf("min(%s) - time()", certificateExpiry()), "certificate"),
		absent:      "No certificate",
	}, certificateSteps()).Decimals(1))
	b.WithPanel(statPanel(panel{
		title: "HMP version", unit: units.Number, width: 8, height: 4,
		description: fmt.Sprintf("The version and the build of the HMP. Of many HMPs, %d.", maxLines),
		queries:     oneQuery(fmt.Sprintf("topk(%d, %s)", maxLines, versions()), "{{version}} {{build}}"),
		absent:      "No HMP",
	}, neutral()).TextMode(common.BigValueTextModeName))
}

func sessionResults(b *dashboard.DashboardBuilder) {
	worst := fmt.Sprintf(" Of many sessions, the %d that were not valid for the longest time in the time range.", sessionRows)
	b.WithRow(dashboard.NewRowBuilder("Results"))
	b.WithPanel(timeline(panel{
		title: "Result over time", unit: units.Number, width: 12, height: 2*sessionRows + 3,
		description: "The result of each probe. A gap means no data." + worst,
		queries:     oneQuery(highest(sessionRows, resultNumber(), failureRank()), sessionLegend),
	}, resultNames()))
	b.WithPanel(timeline(panel{
		title: "HTTP status over time", unit: units.Number, width: 12, height: 2*sessionRows + 3,
		description: "The HTTP status of each answer, or none." + worst,
		queries:     oneQuery(highest(sessionRows, perSession("max", collector.SessionHTTPStatus), failureRank()), sessionLegend),
	}, statusNames()))
	b.WithPanel(graph(panel{
		title: "Sessions not valid", unit: units.Number, width: 8, height: 9,
		description: "Chosen sessions that are not valid, and those that HMP does not answer.",
		queries: []query{
			{"sum(1 - " + valid() + ")", "not valid"},
			{"sum(1 - " + perSession("max", collector.Up) + ")", "no answer"},
		},
	}))
	b.WithPanel(stacked(graph(panel{
		title: "Error codes", unit: units.Number, width: 8, height: 9,
		description: "Sessions that HMP answers with an error code. The meaning of each code is at the bottom.",
		queries:     oneQuery(errorCodes(), "{{code}} {{name}}"),
	})))
	b.WithPanel(graph(panel{
		title: "Service messages", unit: units.Number, width: 8, height: 9,
		description: "Service messages of HMP for the user of a valid session." + ofMany("with most"),
		queries: oneQuery(highest(maxLines, perSession("max", collector.SessionMessages),
			overRange("max", "max_over_time", collector.SessionMessages)), sessionLegend),
	}))
}

func sessionLatency(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Latency"))
	b.WithPanel(graphWithUsualRange(panel{
		title: "Latency and its usual range", width: 8, height: 11,
		description: "The probe duration. Of several sessions, the average. The area is the mean of the last day, plus and minus two " +
			"standard deviations.",
		queries: oneQuery(averageLatency(), "latency"),
	}, averageLatency()))
	b.WithPanel(withThresholds(graph(panel{
		title: "Latency and timeout", unit: units.Seconds, width: 8, height: 11,
		description: "The probe duration and its timeout." + ofMany("slowest on average"),
		queries: []query{
			{highest(maxLines, perSession("max", collector.SessionProbeDuration),
				overRange("max", "avg_over_time", collector.SessionProbeDuration)), sessionLegend},
			{"min(" + perSession("min", collector.SessionProbeTimeout) + ")", "shortest timeout"},
		},
	}), latencySteps()).
		OverrideByName("shortest timeout", []dashboard.DynamicConfigValue{
			fixedColor(plain),
			{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
			{Id: "custom.fillOpacity", Value: 0},
		}))
	b.WithPanel(stacked(graph(panel{
		title: "Phases of a probe", unit: units.Seconds, width: 8, height: 11,
		description: "The phases of a probe: name resolution, connection, TLS, processing by HMP, and transfer of the answer. Of several " +
			"sessions, the average.",
		queries: oneQuery(fmt.Sprintf("avg by (phase) (max by (target, session, phase) (%s))",
			selector(collector.SessionProbePhase, chosenSessions)), "{{phase}}"),
	})))
}

func sessionToken(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Token and logins"))
	b.WithPanel(withThresholds(graph(panel{
		title: "Token lifetime left", unit: units.Seconds, width: 6, height: 9,
		description: "Time until the token expires. The line rises at each renewal. If it reaches zero, the renewal failed. Only for API " +
			"keys." + ofMany("with the least time"),
		queries: oneQuery(lowest(maxLines, perSession("min", collector.SessionTokenExpiry)+" - time()",
			overRange("min", "min_over_time", collector.SessionTokenExpiry)), sessionLegend),
	}), tokenSteps()))
	b.WithPanel(resultColors(stacked(graph(panel{
		title: "Logins per hour", unit: units.Number, width: 6, height: 9,
		description: "Logins by result. Two or three an hour are normal for an API key. If several exporters watch the session, the one " +
			"with most logins counts.",
		queries: oneQuery("sum by (result) ("+perHour(collector.SessionLogins, "result")+")", "{{result}}"),
	}))))
	b.WithPanel(graph(panel{
		title: "Tokens replaced per hour", unit: units.Number, width: 7, height: 9,
		description: "Answers with a new token, for all chosen sessions.",
		queries:     oneQuery("sum("+perHour(collector.SessionRotations)+")", "replaced"),
	}))
	b.WithPanel(withThresholds(graph(panel{
		title: "Logins suspended", unit: units.Number, width: 5, height: 9,
		description: "Sessions whose logins are suspended: HMP refused the key, found no role, or ended tokens early. The exporter's page of " +
			"the session says what to do.",
		queries: oneQuery("sum("+perSession("max", collector.SessionLoginSuspended)+")", "suspended"),
	}), oneOrMore(bad)))
}

func sessionUser(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("The user of the session"))
	ago := func(metric string) string { return "time() - " + perSession("max", metric) }
	b.WithPanel(tablePanel(panel{
		title: "What HMP reports about the user", width: 14, height: 9,
		description: "From fields that HMP may change. Unknown values are blank. The exporter does not need an administrator.",
	}, sorted{"Failed logins", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: perSession("max", collector.SessionAdmin), title: "Administrator", unit: units.BoolYesNo},
		{expr: perSession("min", collector.SessionRoles), title: "Roles", unit: units.Number},
		{
			expr:  perSession("max", collector.SessionLoginFailures),
			title: "Failed logins", unit: units.Number, thresholds: oneOrMore(warning),
		},
		{expr: ago(collector.SessionLastAction), title: "Last action ago"},
		{expr: ago(collector.SessionLastLogin), title: "Last login ago"},
	}))
	b.WithPanel(tablePanel(panel{
		title: "Texts of service messages", width: 10, height: 9,
		description: "The current service messages, at most 100. Only targets with service_message_text export the texts.",
	}, sorted{"HMP", false}, [][2]string{{"target", "HMP"}, {"session", "Session"}, {"message", "Message"}}, []column{
		{
			expr: fmt.Sprintf("topk(100, max by (target, session, message) (%s))",
				selector(collector.SessionMessageInfo, chosenSessions)),
			title: "Messages", unit: units.Number,
		},
	}).OverrideByName("Messages", hidden()))
	b.WithPanel(graph(panel{
		title: "Failed logins of the user", unit: units.Number, width: 12, height: 9,
		description: "Failed logins that HMP counts for the user, also by others than the exporter." + ofMany("with most"),
		queries: oneQuery(highest(maxLines, perSession("max", collector.SessionLoginFailures),
			overRange("max", "max_over_time", collector.SessionLoginFailures)), sessionLegend),
	}))
	b.WithPanel(graph(panel{
		title: "Time since the last action", unit: units.Seconds, width: 12, height: 9,
		description: "How long ago the user last did something." + ofMany("with the longest time"),
		queries: oneQuery(lowest(maxLines, ago(collector.SessionLastAction),
			overRange("max", "max_over_time", collector.SessionLastAction)), sessionLegend),
	}))
}

// ofMany says which of many sessions a graph shows.
func ofMany(which string) string {
	return fmt.Sprintf(" Of many sessions, the %d %s.", maxLines, which)
}
