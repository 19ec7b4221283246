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

// minInterval is the shortest step of a graph. With a shorter step, a scrape interval of one
// minute would leave gaps.
const minInterval = "1m"

// A panel has the settings that all kinds of panels have.
type panel struct {
	title, description string
	unit               string
	width, height      uint32 // the grid is 24 wide
	absent             string // the text of a stat without data; "" is an error
	queries            []query
}

// dashboardPanel is a finished panel of any kind.
type dashboardPanel = cog.Builder[dashboard.Panel]

// A query is an expression and the name of its series.
type query struct{ expr, name string }

// oneQuery returns a list with one query.
func oneQuery(expr, name string) []query { return []query{{expr, name}} }

// A paneler is a panel builder of the SDK.
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

// fill sets the common settings of a panel. kind says how its queries are evaluated.
func fill[B paneler[B]](b B, p panel, kind func(*prometheus.DataqueryBuilder)) B {
	b = b.Title(p.title).
		Description(p.description).
		Datasource(source).
		Interval(minInterval).
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

// refID returns the name that Grafana gives a query.
func refID(i int) string { return "ABCDEFGH"[i : i+1] }

// The ways to evaluate a query.
func instant(q *prometheus.DataqueryBuilder) {
	q.Instant().Format(prometheus.PromQueryFormatTimeSeries)
}

func instantTable(q *prometheus.DataqueryBuilder) {
	q.Instant().Format(prometheus.PromQueryFormatTable)
}

func overTime(q *prometheus.DataqueryBuilder) { q.Range().Format(prometheus.PromQueryFormatTimeSeries) }

// Units that Grafana does not have.
const (
	probesPerSecond = "suffix: probes/s"
	processors      = "suffix: CPUs"
)

// noData sets what a stat shows without data. Grafana then shows null (createNoValuesFieldDisplay)
// in the colour of the lowest threshold, unless null has a mapping. That colour may be green.
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

// statPanel returns a panel with a few current values.
func statPanel(p panel, thresholds *dashboard.ThresholdsConfigBuilder, names ...dashboard.ValueMapping) *stat.PanelBuilder {
	return fill(stat.NewPanelBuilder(), p, instant).
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

// softMax is the minimal end of the axis. Without it, a graph of zeros has an axis to 100.
var softMax = map[string]float64{
	units.Number: 1, units.RequestsPerSecond: 0.1, probesPerSecond: 0.1, units.PercentUnit: 0.01,
}

// graph returns a panel with lines over time. Its axis begins at zero, so a small change looks small.
func graph(p panel) *timeseries.PanelBuilder {
	b := fill(timeseries.NewPanelBuilder(), p, overTime)
	if end, ok := softMax[p.unit]; ok {
		b.AxisSoftMax(end)
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

// stacked stacks the lines of a graph.
func stacked(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return p.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// withThresholds draws thresholds in a graph.
func withThresholds(p *timeseries.PanelBuilder, thresholds *dashboard.ThresholdsConfigBuilder) *timeseries.PanelBuilder {
	return p.Thresholds(thresholds).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

// timeline returns a state timeline with a row for each series.
func timeline(p panel, names []dashboard.ValueMapping) *statetimeline.PanelBuilder {
	return fill(statetimeline.NewPanelBuilder(), p, overTime).
		Mappings(names).
		Thresholds(neutral()).
		// With threshold colours, Grafana replaces merged numbers by ranges before it applies
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

// graphWithUsualRange returns a graph of a value, with an area where the value usually is.
func graphWithUsualRange(p panel, value string) *timeseries.PanelBuilder {
	const lower, upper = "usual, from", "usual, to"
	p.unit = units.Seconds
	p.queries = append(p.queries,
		query{usualRange(value, "- 2"), lower},
		query{usualRange(value, "+ 2"), upper},
	)
	invisible := []dashboard.DynamicConfigValue{
		fixedColor("blue"),
		{Id: "custom.lineWidth", Value: 0},
	}
	return graph(p).
		OverrideByName(lower, append(invisible, dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 0})).
		OverrideByName(upper, append(invisible,
			dashboard.DynamicConfigValue{Id: "custom.fillBelowTo", Value: lower},
			dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 15}))
}

// fixedColor sets the colour of a field.
func fixedColor(color string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": color}}
}

// thresholdsOf returns thresholds for one field.
func thresholdsOf(b *dashboard.ThresholdsConfigBuilder) []dashboard.DynamicConfigValue {
	built, err := b.Build()
	if err != nil {
		panic(err) // a mistake in this package
	}
	return []dashboard.DynamicConfigValue{
		{Id: "thresholds", Value: built},
		{Id: "color", Value: map[string]any{"mode": "thresholds"}},
	}
}
