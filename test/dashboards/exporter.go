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

// exporter returns the dashboard about the exporter.
func exporter() *dashboard.DashboardBuilder {
	b := board(exporterUID, "HMP Exporter",
		"Does the exporter work, and are its scrapes complete? Choose its job. With a scrape for each HMP, also choose the "+
			"job of those scrapes.")
	exporterNumbers(b)
	exporterProbes(b)
	exporterScrapes(b)
	exporterProcess(b)
	return b
}

func exporterNumbers(b *dashboard.DashboardBuilder) {
	b.WithPanel(statPanel(panel{
		title: "Scrapes", unit: units.Number, width: 5, height: 4,
		description: "Failing scrapes of exporters and sessions, and the number of all scrapes. A scrape counts if it returned something " +
			"in the last day.",
		queries: []query{
			{"sum(" + ofScrapes("(1 - "+selector("up", chosenExporters)+")") + ")", "fail"},
			{"count(" + ofScrapes(selector("up", chosenExporters)) + ")", "all"},
		},
	}, oneOrMore(bad)).OverrideByName("all", []dashboard.DynamicConfigValue{fixedColor(plain)}))
	b.WithPanel(statPanel(panel{
		title: "Version", unit: units.Number, width: 4, height: 4,
		description: "The versions of the exporters and their numbers.",
		queries: oneQuery("topk(5, count by (version, revision) (max by (instance, version, revision) ("+
			selector(collector.BuildInfo, chosenExporters)+")))", "{{version}}"),
	}, neutral()).TextMode(common.BigValueTextModeName))
	b.WithPanel(statPanel(panel{
		title: "Configuration", unit: units.Number, width: 4, height: 4,
		description: "The last load of the configuration on all exporters. If it failed, the exporter keeps the old configuration and " +
			"logs the reason.",
		queries: oneQuery("min("+selector(collector.ConfigReloadOK, chosenExporters)+")", "last load"),
	}, steps(bad, step{1, good}), reloadNames()...))
	b.WithPanel(statPanel(panel{
		title: "Last reload", unit: units.Seconds, width: 4, height: 4,
		description: "How long ago the exporter with the oldest configuration loaded it.",
		queries:     oneQuery("time() - min("+selector(collector.ConfigReloadTime, chosenExporters)+")", "ago"),
	}, neutral()).Decimals(1))
	b.WithPanel(statPanel(panel{
		title: "Saturated", unit: units.Number, width: 4, height: 4,
		description: "Sessions whose probe could not start, because too many probes were in flight or the exporter lacked a resource. " +
			"Their result is saturated.",
		queries: oneQuery("sum("+perSession("max", collector.SessionProbeResult, `result="saturated"`)+")", "saturated"),
	}, oneOrMore(warning)))
	b.WithPanel(statPanel(panel{
		title: "Panics", unit: units.Number, width: 3, height: 4,
		description: "Probes in the time range that ended with a panic of the exporter. Please report the line in its log.",
		queries:     oneQuery("sum(max by (instance) (increase("+selector(collector.ProbePanics, chosenExporters)+"[$__range])))", "panics"),
	}, oneOrMore(bad)))
}

// reloadNames maps the result of a reload.
func reloadNames() []dashboard.ValueMapping {
	return valueNames(map[string]dashboard.ValueMappingResult{
		"0": {Text: new("failed"), Color: new(bad), Index: new(int32(0))},
		"1": {Text: new("good"), Color: new(good), Index: new(int32(1))},
	})
}

func exporterProbes(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Probes"))
	b.WithPanel(durationHeatmap())
	b.WithPanel(graph(panel{
		title: "Probe durations, percentiles", unit: units.Seconds, width: 8, height: 11,
		description: "Half, 95 % and 99 % of the probes took at most this long.",
		queries:     []query{{probePercentile("0.5"), "p50"}, {probePercentile("0.95"), "p95"}, {probePercentile("0.99"), "p99"}},
	}))
	b.WithPanel(graph(panel{
		title: "Probes under way", unit: units.Number, width: 8, height: 9,
		description: "Probes in flight at each scrape, including those of the scrape. The limit is --probe.max-concurrent.",
		queries:     oneQuery(topInstances(exporterMetric(collector.ProbesInFlight)), "{{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Probes shared", unit: probesPerSecond, width: 8, height: 9,
		description: "Probes that a scrape shared with another scrape, because scrapes overlap.",
		queries:     oneQuery(topInstances(exporterRate(collector.CoalescedProbes)), "{{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Saturation and panics", unit: units.Number, width: 8, height: 9,
		description: "Sessions whose probe could not start, and panics of the exporter per hour. Both should be 0.",
		queries: []query{
			{"sum(" + perSession("max", collector.SessionProbeResult, `result="saturated"`) + ")", "sessions not probed"},
			{"3600 * sum(" + byInstance(exporterRate(collector.ProbePanics)) + ")", "panics per hour"},
		},
	}))
}

// durations returns a heat map of probes. If Prometheus has both histograms, Grafana shows the native one.
func durationHeatmap() dashboardPanel {
	b := fill(heatmap.NewPanelBuilder(), panel{
		title: "Probe durations, heat map", unit: units.Number, width: 16, height: 11,
		description: "Probes per second by duration, from the native histogram if Prometheus has it, otherwise from the classic one.",
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
		rank := fmt.Sprintf("topk(%d, max by (job, instance) (%s))", 2*maxLines,
			ofScrapes("max_over_time("+selector(metric, chosenExporters)+"[$__range] @ end())"))
		return fmt.Sprintf("max by (job, instance) (%s) and on (job, instance) %s", selector(metric, chosenExporters), rank)
	}
	b.WithPanel(graph(panel{
		title: "Scrape duration", unit: units.Seconds, width: 8, height: 9,
		description: fmt.Sprintf("The %d longest scrapes. If an HMP hangs, the scrape takes as long as the timeout.", 2*maxLines),
		queries:     oneQuery(scrapes("scrape_duration_seconds"), "{{job}} {{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Scrape size", unit: units.Short, width: 8, height: 9,
		description: fmt.Sprintf("Samples of the %d largest scrapes. A session has about 60.", 2*maxLines),
		queries:     oneQuery(scrapes("scrape_samples_scraped"), "{{job}} {{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Answers, refused scrapes", unit: units.RequestsPerSecond, width: 8, height: 9,
		description: "Answers to scrapes of /metrics by HTTP status, and scrapes that were refused with a 503 because too many of the " +
			"same target were in progress. See --web.max-requests.",
		queries: []query{
			{"sum by (code) (" + byInstance(exporterRate("promhttp_metric_handler_requests_total"), "code") + ")", "{{code}}"},
			{"sum by (path) (" + byInstance(exporterRate(collector.ScrapesRefused), "path") + ")", "refused on {{path}}"},
		},
	}))
}

func exporterProcess(b *dashboard.DashboardBuilder) {
	b.WithRow(dashboard.NewRowBuilder("Process"))
	b.WithPanel(graph(panel{
		title: "CPU", unit: processors, width: 6, height: 9,
		description: "Processors in use. 1 is one processor all the time.",
		queries:     oneQuery(topInstances(exporterRate("process_cpu_seconds_total")), "{{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Memory", unit: units.BytesIEC, width: 6, height: 9,
		description: "Resident memory.",
		queries:     oneQuery(topInstances(exporterMetric("process_resident_memory_bytes")), "{{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "Goroutines", unit: units.Short, width: 6, height: 9,
		description: "Probes start goroutines. If the number only grows, there is a leak.",
		queries:     oneQuery(topInstances(exporterMetric("go_goroutines")), "{{instance}}"),
	}))
	b.WithPanel(graph(panel{
		title: "File descriptors", unit: units.PercentUnit, width: 6, height: 9,
		description: "Open file descriptors, as a share of the limit. Each probe in flight needs one.",
		queries: oneQuery(topInstances(ofExporters(fmt.Sprintf("(%s / %s)",
			selector("process_open_fds", chosenExporters), selector("process_max_fds", chosenExporters)))), "{{instance}}"),
	}))
}
