package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// leastInterval is the shortest step of a graph: with a shorter one, scrapes that are a minute apart would leave gaps.
const leastInterval = "1m"

// A panel is what panels of all kinds have.
type panel struct {
	title, description string
	unit               string
	width, height      uint32 // of a grid that is 24 wide
	absent             string // what a stat says where there is no data; "" is loud
	queries            []query
}

// A query is an expression, and the name of what it returns.
type query struct{ expr, name string }

// one is a panel's queries where it has one.
func one(expr, name string) []query { return []query{{expr, name}} }

// A paneler is a builder of the SDK, for a panel of any kind.
type paneler[B any] interface {
	Title(string) B
	Description(string) B
	Datasource(common.DataSourceRef) B
	Interval(string) B
	Unit(string) B
	Span(uint32) B
	Height(uint32) B
	WithTarget(cog.Builder[variants.Dataquery]) B
}

// overridable is a builder for a panel whose fields can look different from each other.
type overridable[B any] interface {
	OverrideByName(string, []dashboard.DynamicConfigValue) B
}

// fill gives a panel what panels of all kinds have. The kind says how its queries are evaluated.
func fill[B paneler[B]](b B, p panel, kind func(*prometheus.DataqueryBuilder)) B {
	b = b.Title(p.title).
		Description(p.description).
		Datasource(source).
		Interval(leastInterval).
		Unit(p.unit).
		Span(p.width).
		Height(p.height)
	for i, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().
			Expr(q.expr).
			LegendFormat(q.name).
			RefId(refID(i)).
			Datasource(source).
			EditorMode(prometheus.QueryEditorModeCode)
		kind(target)
		b = b.WithTarget(target)
	}
	return b
}

// refID names the queries of a panel, as Grafana does.
func refID(i int) string { return "ABCDEFGH"[i : i+1] }

// The ways to evaluate a query.
func now(q *prometheus.DataqueryBuilder)      { q.Instant().Format(prometheus.PromQueryFormatTimeSeries) }
func rows(q *prometheus.DataqueryBuilder)     { q.Instant().Format(prometheus.PromQueryFormatTable) }
func overTime(q *prometheus.DataqueryBuilder) { q.Range().Format(prometheus.PromQueryFormatTimeSeries) }

// The units of rates. Grafana's "cps" reads "c/s", and its unit for a plain number names no processor.
const (
	probesPerSecond = "suffix: probes/s"
	processors      = "suffix: CPUs"
)

// noData says what a stat shows where there is no data. Grafana shows null then (createNoValuesFieldDisplay), in the
// colour of the lowest threshold unless null has a mapping: red for what may be absent, green for what must not be.
func noData(text string) dashboard.ValueMapping {
	color := plain
	if text == "" {
		text, color = "No data", bad
	}
	return dashboard.ValueMapping{SpecialValueMap: &dashboard.SpecialValueMap{
		Type: dashboard.MappingTypeSpecialValue,
		Options: dashboard.DashboardSpecialValueMapOptions{
			Match:  dashboard.SpecialValueMatchNullAndNan,
			Result: dashboard.ValueMappingResult{Text: new(text), Color: new(color), Index: new(int32(100))},
		},
	}}
}

// numbers are a few values of now, in large.
func numbers(p panel, thresholds *dashboard.ThresholdsConfigBuilder, names ...dashboard.ValueMapping) *stat.PanelBuilder {
	return fill(stat.NewPanelBuilder(), p, now).
		Thresholds(thresholds).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		ReduceOptions(latest()).
		GraphMode(common.BigValueGraphModeNone).
		ColorMode(common.BigValueColorModeValue).
		TextMode(common.BigValueTextModeValueAndName).
		Mappings(append(names, noData(p.absent)))
}

func latest() *common.ReduceDataOptionsBuilder {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false)
}

// softMax is how far the axis of a unit reaches at least. Without it, a graph of nothing but 0 has an axis to 100.
var softMax = map[string]float64{
	units.Number: 1, units.RequestsPerSecond: 0.1, probesPerSecond: 0.1, units.PercentUnit: 0.01,
}

// lines are values over time. They begin at zero, so that a small change looks small.
func lines(p panel) *timeseries.PanelBuilder {
	b := fill(timeseries.NewPanelBuilder(), p, overTime)
	if most, ok := softMax[p.unit]; ok {
		b.AxisSoftMax(most)
	}
	return b.
		Min(0).
		LineWidth(1).
		FillOpacity(8).
		ShowPoints(common.VisibilityModeNever).
		Thresholds(neutral()).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassic)).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeTable).
			Placement(common.LegendPlacementBottom).
			ShowLegend(true).
			Calcs([]string{"lastNotNull", "mean", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().
			Mode(common.TooltipDisplayModeMulti).
			Sort(common.SortOrderDescending))
}

// stacked lays lines on top of each other.
func stacked(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return p.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// limits draws thresholds into a graph.
func limits(p *timeseries.PanelBuilder, thresholds *dashboard.ThresholdsConfigBuilder) *timeseries.PanelBuilder {
	return p.Thresholds(thresholds).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

// states are values over time that change now and then, a row for each series.
func states(p panel, names []dashboard.ValueMapping) *statetimeline.PanelBuilder {
	return fill(statetimeline.NewPanelBuilder(), p, overTime).
		Mappings(names).
		Thresholds(neutral()).
		// With the colours of thresholds, Grafana replaces merged numbers by ranges of thresholds before it looks at
		// mappings (mergeThresholdValues in the timeline's utils).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(plain)).
		ShowValue(common.VisibilityModeAuto).
		MergeValues(true).
		RowHeight(0.8).
		FillOpacity(80).
		LineWidth(0).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeList).
			Placement(common.LegendPlacementBottom).
			ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeSingle))
}

// band is a value and, as an area behind it, where it usually is.
func band(p panel, value string) *timeseries.PanelBuilder {
	const lower, upper = "usual, from", "usual, to"
	p.unit = units.Seconds
	p.queries = append(p.queries,
		query{usually(value, "- 2"), lower},
		query{usually(value, "+ 2"), upper},
	)
	invisible := []dashboard.DynamicConfigValue{
		fixed("blue"),
		{Id: "custom.lineWidth", Value: 0},
	}
	return lines(p).
		OverrideByName(lower, append(invisible, dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 0})).
		OverrideByName(upper, append(invisible,
			dashboard.DynamicConfigValue{Id: "custom.fillBelowTo", Value: lower},
			dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 15}))
}

// fixed is a colour that does not depend on the value.
func fixed(color string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": color}}
}

// dashboardPanel is a panel that is ready.
type dashboardPanel = cog.Builder[dashboard.Panel]

// thresholdsOf makes thresholds those of one field.
func thresholdsOf(b *dashboard.ThresholdsConfigBuilder) []dashboard.DynamicConfigValue {
	built, err := b.Build()
	if err != nil {
		panic(err) // they are ours
	}
	return []dashboard.DynamicConfigValue{
		{Id: "thresholds", Value: built},
		{Id: "color", Value: map[string]any{"mode": "thresholds"}},
	}
}
