package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/collector"
)

// exporter is the dashboard about the exporter itself.
func exporter() *dashboard.DashboardBuilder {
	b := board(exporterUID, "HMP Exporter",
		"Is the exporter well, does it keep up, and are its scrapes complete? Choose its job, and with a scrape for "+
			"each HMP the job of those too.", "1m")
	exporterNumbers(b)
	exporterProbes(b)
	exporterScrapes(b)
	exporterProcess(b)
	return b
}

// own is what an exporter says of itself.
func own(metric string) string { return ofExporters(selector(metric, scope)) }

// ownRate is by how much a counter of an exporter grows per second.
func ownRate(metric string) string {
	return ofExporters("rate(" + selector(metric, scope) + "[$__rate_interval])")
}

func exporterNumbers(b *dashboard.DashboardBuilder) {
	b.WithPanel(numbers(panel{
		title: "Scrapes", unit: units.Number, width: 5, height: 4,
		description: "Scrapes of exporters and of sessions that fail, of those that brought something within the day.",
		queries: []query{
			{"sum(" + ofScrapes("(1 - "+selector("up", scope)+")") + ")", "fail"},
			{"count(" + ofScrapes(selector("up", scope)) + ")", "all"},
		},
	}, anyIs(bad)).OverrideByName("all", []dashboard.DynamicConfigValue{fixed(plain)}))
	b.WithPanel(numbers(panel{
		title: "Version", unit: units.Number, width: 4, height: 4,
		description: "What the exporters were built from, and how many of each there are.",
		queries: one("topk(5, count by (version, revision) (max by (instance, version, revision) ("+
			selector(collector.BuildInfo, scope)+")))", "{{version}}"),
	}, neutral()).TextMode(common.BigValueTextModeName))
	b.WithPanel(numbers(panel{
		title: "Configuration", unit: units.Number, width: 4, height: 4,
		description: "Whether the last attempt to load the configuration succeeded, on all exporters. After one that " +
			"failed the old configuration stays; the log says why.",
		queries: one("min("+selector(collector.ConfigReloadOK, scope)+")", "last load"),
	}, allAre(), reloadNames()...))
	b.WithPanel(numbers(panel{
		title: "Last reload", unit: units.Seconds, width: 4, height: 4,
		description: "How long ago the exporter with the oldest configuration loaded it.",
		queries:     one("time() - min("+selector(collector.ConfigReloadTime, scope)+")", "ago"),
	}, neutral()).Decimals(1))
	b.WithPanel(numbers(panel{
		title: "Saturated", unit: units.Number, width: 4, height: 4,
		description: "Sessions whose probe could not start, as too many were under way or the exporter lacks something; " +
			"the result is saturated.",
		queries: one("sum("+each("max", collector.SessionProbeResult, `result="saturated"`)+")", "saturated"),
	}, anyIs(warning)))
	b.WithPanel(numbers(panel{
		title: "Panics", unit: units.Number, width: 3, height: 4,
		description: "Probes within the time that is shown that a defect of the exporter ended. Please report the line in " +
			"its log.",
		queries: one("sum(max by (instance) (increase("+selector(collector.ProbePanics, scope)+"[$__range])))", "panics"),
	}, anyIs(bad)))
}

// reloadNames says how a reload went.
func reloadNames() []dashboard.ValueMapping {
	return valueNames(map[string]dashboard.ValueMappingResult{
		"0": {Text: new("failed"), Color: new(bad), Index: new(int32(0))},
		"1": {Text: new("good"), Color: new(good), Index: new(int32(1))},
	})
}

func exporterProbes(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Probes"))
	b.WithPanel(durations())
	b.WithPanel(lines(panel{
		title: "Probe durations, percentiles", unit: units.Seconds, width: 8, height: 11,
		description: "How long half of the probes, and all but 5 % and 1 % of them, took at most.",
		queries:     []query{{quantile("0.5"), "p50"}, {quantile("0.95"), "p95"}, {quantile("0.99"), "p99"}},
	}))
	b.WithPanel(lines(panel{
		title: "Probes under way", unit: units.Number, width: 8, height: 9,
		description: "At the moment of each scrape, which itself makes probes. --probe.max-concurrent is the most.",
		queries:     one(instances(own(collector.ProbesInFlight)), "{{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Probes shared", unit: probesPerSecond, width: 8, height: 9,
		description: "Probes that a scrape did not make, because it could share one under way: scrapes overlap.",
		queries:     one(instances(ownRate(collector.CoalescedProbes)), "{{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Saturation and panics", unit: units.Number, width: 8, height: 9,
		description: "Sessions whose probe could not start, and probes in an hour that a defect of the exporter ended. " +
			"Both should be 0.",
		queries: []query{
			{"sum(" + each("max", collector.SessionProbeResult, `result="saturated"`) + ")", "sessions not probed"},
			{"3600 * sum(" + byInstance(ownRate(collector.ProbePanics)) + ")", "panics per hour"},
		},
	}))
}

// instances merges jobs that scrape one exporter, and shows so many exporters by name.
func instances(vector string) string {
	return fmt.Sprintf("topk(%d, %s)", 2*mostLines, byInstance(vector))
}

// quantile is of all probes, from the native histogram where Prometheus has it and the classic one where not.
func quantile(share string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum(%s)) or histogram_quantile(%s, sum by (le) (%s))",
		share, histogram("instance", collector.ExporterProbeDuration),
		share, histogram("instance, le", collector.ExporterProbeDuration+"_bucket"))
}

// histogram is the observations per second of each exporter; those of jobs that scrape the same one are the same.
func histogram(by, metric string) string {
	return fmt.Sprintf("avg by (%s) (rate(%s[$__rate_interval]))", by, selector(metric, scope))
}

// durations is the histogram of probes over time. Where Prometheus has both forms, Grafana shows the native one.
func durations() dashboardPanel {
	b := fill(heatmap.NewPanelBuilder(), panel{
		title: "Probe durations, heat map", unit: units.Number, width: 16, height: 11,
		description: "How many probes per second took how long, from the native histogram where Prometheus keeps it and " +
			"from the classic one where not.",
		queries: []query{
			{"sum(" + histogram("instance", collector.ExporterProbeDuration) + ")", "native"},
		},
	}, overTime)
	return b.
		WithTarget(prometheus.NewDataqueryBuilder().
			Expr("sum by (le) (" + histogram("instance, le", collector.ExporterProbeDuration+"_bucket") + ")").
			LegendFormat("{{le}}").
			RefId(refID(1)).
			Datasource(source).
			EditorMode(prometheus.QueryEditorModeCode).
			Range().
			Format(prometheus.PromQueryFormatHeatmap)).
		Calculate(false).
		Color(heatmap.NewHeatmapColorOptionsBuilder().
			Mode(heatmap.HeatmapColorModeScheme).
			Scheme("Blues").
			Scale(heatmap.HeatmapColorScaleExponential).
			Exponent(0.5).
			Steps(64)).
		CellGap(1).
		ShowValue(common.VisibilityModeNever).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(units.Seconds).AxisPlacement(common.AxisPlacementLeft))
}

func exporterScrapes(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Scrapes"))
	scrapes := func(metric string) string {
		rank := fmt.Sprintf("topk(%d, max by (job, instance) (%s))", 2*mostLines,
			ofScrapes("max_over_time("+selector(metric, scope)+"[$__range] @ end())"))
		return fmt.Sprintf("max by (job, instance) (%s) and on (job, instance) %s", selector(metric, scope), rank)
	}
	b.WithPanel(lines(panel{
		title: "Scrape duration", unit: units.Seconds, width: 8, height: 9,
		description: fmt.Sprintf("How long Prometheus waited for each scrape, for the %d longest. An HMP that hangs makes "+
			"it as long as its timeout.", 2*mostLines),
		queries: one(scrapes("scrape_duration_seconds"), "{{job}} {{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Scrape size", unit: units.Short, width: 8, height: 9,
		description: fmt.Sprintf("Samples of each scrape, for the %d largest; some sixty for a session.", 2*mostLines),
		queries:     one(scrapes("scrape_samples_scraped"), "{{job}} {{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Answers, refused scrapes", unit: units.RequestsPerSecond, width: 8, height: 9,
		description: "Answers to scrapes of /metrics by their HTTP status, and scrapes of any path that were refused with " +
			"a 503, because too many of the same target were under way, see --web.max-requests.",
		queries: []query{
			{"sum by (code) (" + byInstance(ownRate("promhttp_metric_handler_requests_total"), "code") + ")", "{{code}}"},
			{"sum by (path) (" + byInstance(ownRate(collector.ScrapesRefused), "path") + ")", "refused on {{path}}"},
		},
	}))
}

func exporterProcess(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Process"))
	b.WithPanel(lines(panel{
		title: "CPU", unit: processors, width: 6, height: 9,
		description: "Processors in use: 1 is one of them all the time.",
		queries:     one(instances(ownRate("process_cpu_seconds_total")), "{{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Memory", unit: units.BytesIEC, width: 6, height: 9,
		description: "Resident memory.",
		queries:     one(instances(own("process_resident_memory_bytes")), "{{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "Goroutines", unit: units.Short, width: 6, height: 9,
		description: "They come with probes and go with them; a number that only grows is a leak.",
		queries:     one(instances(own("go_goroutines")), "{{instance}}"),
	}))
	b.WithPanel(lines(panel{
		title: "File descriptors", unit: units.PercentUnit, width: 6, height: 9,
		description: "Open ones, as a share of those allowed. Every probe under way needs one.",
		queries: one(instances(ofExporters(fmt.Sprintf("(%s / %s)",
			selector("process_open_fds", scope), selector("process_max_fds", scope)))), "{{instance}}"),
	}))
}
