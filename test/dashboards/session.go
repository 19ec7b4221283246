package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// session is the dashboard about one session, or about a few. Alerts and tables link to it.
func session() *dashboard.DashboardBuilder {
	b := board(sessionUID, "HMP Session",
		"What is the matter with a session, since when, and what to do about it? Choose one above; of many, graphs show "+
			fmt.Sprint(mostLines)+" by name.", "1m")
	sessionNumbers(b)
	sessionResults(b)
	sessionLatency(b)
	sessionToken(b)
	sessionUser(b)
	return b.
		WithRow(dashboard.NewRowBuilder("What results and codes mean")).
		WithPanel(text.NewPanelBuilder().
			Title("What to do").
			Description("Every result that a probe can have, and every error code that HMP is documented to answer with.").
			Span(24).
			Height(resultHelpHeight()).
			Mode(text.TextModeMarkdown).
			Content(resultHelp()))
}

func sessionNumbers(b *dashboard.DashboardBuilder) {
	b.WithPanel(numbers(panel{
		title: "Result", unit: units.Number, width: 9, height: 4,
		description: fmt.Sprintf("What the last probe came to. Of many sessions, %d with the worst results. "+
			"What each result means is at the bottom.", mostLines),
		queries: one(fmt.Sprintf("topk(%d, %s)", mostLines, resultNumber()), bySession),
	}, neutral(), resultNames()...))
	b.WithPanel(numbers(panel{
		title: "Valid in this time", unit: units.PercentUnit, width: 5, height: 4,
		description: "The share of probes in the time that is shown that found the session valid. Probes that are missing, " +
			"as nothing was scraped, do not count. The objective is 99.5 %.",
		queries: one(fmt.Sprintf("avg(min by (target, session) (avg_over_time(%s[$__range])))",
			selector(collector.SessionValid, chosen)), "valid"),
	}, steps(bad, step{objective, warning}, step{1, good})).Decimals(2))
	b.WithPanel(numbers(panel{
		title: "Latency in this time", unit: units.Seconds, width: 10, height: 4,
		description: "How long half of the probes, and all but 5 % and 1 % of them, took at most in the time that is " +
			"shown. Of several sessions, those of the slowest.",
		queries: []query{{percentile("0.5"), "p50"}, {percentile("0.95"), "p95"}, {percentile("0.99"), "p99"}},
	}, latencySteps()))
	b.WithPanel(numbers(panel{
		title: "Token ends in", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the token of a session with an API key ends; below zero, it could not be renewed. A fixed " +
			"token says nothing of its end.",
		queries: one(fmt.Sprintf("min(%s) - time()", each("min", collector.SessionTokenExpiry)), "token"),
		absent:  "No API key",
	}, tokenSteps()).Decimals(1))
	b.WithPanel(numbers(panel{
		title: "Certificate ends in", unit: units.Seconds, width: 8, height: 4,
		description: "Time until the earliest expiry in the certificate chain of the HMP.",
		queries:     one(fmt.Sprintf("min(%s) - time()", certificates()), "certificate"),
		absent:      "No certificate",
	}, certificateSteps()).Decimals(1))
	b.WithPanel(numbers(panel{
		title: "HMP version", unit: units.Number, width: 8, height: 4,
		description: fmt.Sprintf("The version and the build that the HMP tells. Of many HMPs, %d.", mostLines),
		queries:     one(fmt.Sprintf("topk(%d, %s)", mostLines, versions()), "{{version}} {{build}}"),
		absent:      "No HMP",
	}, neutral()).TextMode(common.BigValueTextModeName))
}

// ofMany says which sessions a graph shows.
func ofMany(which string) string {
	return fmt.Sprintf(" Of many sessions, the %d %s.", mostLines, which)
}

// percentile is how long so many of the probes took at most, of the slowest session.
func percentile(share string) string {
	return fmt.Sprintf("max(quantile_over_time(%s, %s[$__range]))",
		share, selector(collector.SessionProbeDuration, chosen))
}

func sessionResults(b *dashboard.DashboardBuilder) {
	worst := fmt.Sprintf(" Of many sessions, the %d that were not valid for most of the time that is shown.", sessionRows)
	b.WithRow(dashboard.NewRowBuilder("Results"))
	b.WithPanel(states(panel{
		title: "Result over time", unit: units.Number, width: 12, height: 2*sessionRows + 3,
		description: "What each probe came to. A gap is no data." + worst,
		queries:     one(highest(sessionRows, resultNumber(), failing()), bySession),
	}, resultNames()))
	b.WithPanel(states(panel{
		title: "HTTP status over time", unit: units.Number, width: 12, height: 2*sessionRows + 3,
		description: "The status of each answer, or none." + worst,
		queries:     one(highest(sessionRows, each("max", collector.SessionHTTPStatus), failing()), bySession),
	}, statusNames()))
	b.WithPanel(lines(panel{
		title: "Sessions not valid", unit: units.Number, width: 8, height: 9,
		description: "How many of the chosen sessions were not valid, and how many HMP did not answer at all.",
		queries: []query{
			{"sum(1 - " + valid() + ")", "not valid"},
			{"sum(1 - " + each("max", collector.Up) + ")", "no answer"},
		},
	}))
	b.WithPanel(stacked(lines(panel{
		title: "Error codes", unit: units.Number, width: 8, height: 9,
		description: "Sessions that HMP answers with an error code, by its code. What each means is at the bottom.",
		queries:     one(errorCodes(), "{{code}} {{name}}"),
	})))
	b.WithPanel(lines(panel{
		title: "Service messages", unit: units.Number, width: 8, height: 9,
		description: "Messages that HMP has for the user while the session is valid." + ofMany("with most"),
		queries: one(highest(mostLines, each("max", collector.SessionMessages),
			overRange("max", "max_over_time", collector.SessionMessages)), bySession),
	}))
}

func sessionLatency(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Latency"))
	b.WithPanel(band(panel{
		title: "Latency and where it usually is", width: 8, height: 11,
		description: "How long the probe takes; of several sessions, the average. The area is the mean of the day before, " +
			"two standard deviations up and down.",
		queries: one(latency(), "latency"),
	}, latency()))
	b.WithPanel(limits(lines(panel{
		title: "Latency and its bound", unit: units.Seconds, width: 8, height: 11,
		description: "How long the probe takes, and how much time it has at most." + ofMany("slowest on average"),
		queries: []query{
			{highest(mostLines, each("max", collector.SessionProbeDuration),
				overRange("max", "avg_over_time", collector.SessionProbeDuration)), bySession},
			{"min(" + each("min", collector.SessionProbeTimeout) + ")", "shortest bound"},
		},
	}), latencySteps()).
		OverrideByName("shortest bound", []dashboard.DynamicConfigValue{
			fixed(plain),
			{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
			{Id: "custom.fillOpacity", Value: 0},
		}))
	b.WithPanel(stacked(lines(panel{
		title: "Phases of a probe", unit: units.Seconds, width: 8, height: 11,
		description: "Where the time of a probe goes: the host's name, the connection, TLS, what HMP works, and the " +
			"transfer of its answer. Of several sessions, the average.",
		queries: one(fmt.Sprintf("avg by (phase) (max by (target, session, phase) (%s))",
			selector(collector.SessionProbePhase, chosen)), "{{phase}}"),
	})))
}

func sessionToken(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Token and logins"))
	b.WithPanel(limits(lines(panel{
		title: "Life of the token", unit: units.Seconds, width: 6, height: 9,
		description: "Time until the token ends: each renewal is a tooth of a saw. One that runs down to zero could not be " +
			"renewed. There only with an API key." + ofMany("lowest"),
		queries: one(lowest(mostLines, each("min", collector.SessionTokenExpiry)+" - time()",
			overRange("min", "min_over_time", collector.SessionTokenExpiry)), bySession),
	}), tokenSteps()))
	b.WithPanel(resultColors(stacked(lines(panel{
		title: "Logins per hour", unit: units.Number, width: 6, height: 9,
		description: "Logins by what they ended in; two or three an hour are normal for a session with an API key. Of " +
			"several exporters that watch a session, those of the one that logs in most.",
		queries: one("sum by (result) ("+perHour(collector.SessionLogins, "result")+")", "{{result}}"),
	}))))
	b.WithPanel(lines(panel{
		title: "Tokens replaced per hour", unit: units.Number, width: 7, height: 9,
		description: "Answers that carried another token than the one that was sent, for all chosen sessions.",
		queries:     one("sum("+perHour(collector.SessionRotations)+")", "replaced"),
	}))
	b.WithPanel(limits(lines(panel{
		title: "Logins suspended", unit: units.Number, width: 5, height: 9,
		description: "Sessions whose logins are held back after HMP refused one: somebody has to act, here or in HMP.",
		queries:     one("sum("+each("max", collector.SessionLoginSuspended)+")", "suspended"),
	}), anyIs(bad)))
}

func sessionUser(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("The user of the session"))
	ago := func(metric string) string { return "time() - " + each("max", metric) }
	b.WithPanel(list(panel{
		title: "What HMP says of the user", width: 14, height: 9,
		description: "From fields that HMP may change. What it does not say is left blank. An administrator has more power " +
			"than a monitor needs.",
	}, sorted{"Failed logins", true}, [][2]string{{"target", "HMP"}, {"session", "Session"}}, []column{
		{expr: each("max", collector.SessionAdmin), title: "Administrator", unit: units.BoolYesNo},
		{expr: each("min", collector.SessionRoles), title: "Roles", unit: units.Number},
		{
			expr:  each("max", collector.SessionLoginFailures),
			title: "Failed logins", unit: units.Number, thresholds: anyIs(warning),
		},
		{expr: ago(collector.SessionLastAction), title: "Last action ago"},
		{expr: ago(collector.SessionLastLogin), title: "Last login ago"},
	}))
	b.WithPanel(list(panel{
		title: "Service messages at present", width: 10, height: 9,
		description: "Their texts, where service_message_text is on in the configuration, as a message may name an " +
			"account. At most 100.",
	}, sorted{"HMP", false}, [][2]string{{"target", "HMP"}, {"session", "Session"}, {"message", "Message"}}, []column{
		{
			expr: fmt.Sprintf("topk(100, max by (target, session, message) (%s))",
				selector(collector.SessionMessageInfo, chosen)),
			title: "Messages", unit: units.Number,
		},
	}).OverrideByName("Messages", []dashboard.DynamicConfigValue{{Id: "custom.hidden", Value: true}}))
	b.WithPanel(lines(panel{
		title: "Failed logins of the user", unit: units.Number, width: 12, height: 9,
		description: "What HMP counts for the user, also those that are not the exporter's." + ofMany("with most"),
		queries: one(highest(mostLines, each("max", collector.SessionLoginFailures),
			overRange("max", "max_over_time", collector.SessionLoginFailures)), bySession),
	}))
	b.WithPanel(lines(panel{
		title: "Last action ago", unit: units.Seconds, width: 12, height: 9,
		description: "How long ago the user last did something." + ofMany("that rest longest"),
		queries: one(lowest(mostLines, ago(collector.SessionLastAction),
			overRange("max", "max_over_time", collector.SessionLastAction)), bySession),
	}))
}
