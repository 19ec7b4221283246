package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// A column is a query of a table. The labels of its series are columns too.
type column struct {
	expr, title string
	unit        string // seconds if ""
	thresholds  *dashboard.ThresholdsConfigBuilder
	names       []dashboard.ValueMapping
}

// sorted is the initial order of a table.
type sorted struct {
	column     string
	descending bool
}

// tablePanel returns a table of current values. It has a row for each combination of labels. The
// columns of the labels come first.
func tablePanel(p panel, sortBy sorted, labels [][2]string, columns []column) *table.PanelBuilder {
	order, titles := map[string]int{}, map[string]string{}
	for i, l := range labels {
		order[l[0]], titles[l[0]] = i, l[1]
	}
	for i, c := range columns {
		p.queries = append(p.queries, query{c.expr, c.title})
		order[valueField(i, len(columns))], titles[valueField(i, len(columns))] = len(labels)+i, c.title
	}
	p.unit = units.Number // of columns without another unit
	b := fill(table.NewPanelBuilder(), p, instantTable).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{})).
		Thresholds(neutral()).
		Filterable(true).
		SortBy([]cog.Builder[common.TableSortByFieldState]{
			common.NewTableSortByFieldStateBuilder().DisplayName(sortBy.column).Desc(sortBy.descending),
		})
	if len(columns) > 1 {
		b.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	}
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
		"excludeByName": map[string]bool{"Time": true},
		"indexByName":   order,
		"renameByName":  titles,
	}})
	for _, c := range columns {
		b.OverrideByName(c.title, c.properties())
	}
	return b
}

// valueField is the name that Grafana gives the values of a query in a table.
func valueField(i, of int) string {
	if of == 1 {
		return "Value"
	}
	return "Value #" + refID(i)
}

// properties returns the settings of a column.
func (c column) properties() []dashboard.DynamicConfigValue {
	unit := c.unit
	if unit == "" {
		unit = units.Seconds
	}
	properties := []dashboard.DynamicConfigValue{{Id: "unit", Value: unit}, {Id: "decimals", Value: decimals(unit)}}
	if c.thresholds != nil {
		properties = append(append(properties, thresholdsOf(c.thresholds)...), cellType(common.TableCellDisplayModeColorText))
	}
	if c.names != nil {
		properties = append(properties,
			dashboard.DynamicConfigValue{Id: "mappings", Value: c.names},
			cellType(common.TableCellDisplayModeColorBackground))
	}
	return properties
}

// decimals returns the number of decimals of a unit.
func decimals(unit string) int {
	if unit == units.Seconds {
		return 1
	}
	return 0
}

// cellType says what the cells of a column colour. If the mode of a background is not basic, Grafana draws a
// gradient to another colour (getCellColors in the table's utils).
func cellType(mode common.TableCellDisplayMode) dashboard.DynamicConfigValue {
	options := map[string]any{"type": mode}
	if mode == common.TableCellDisplayModeColorBackground {
		options["mode"] = common.TableCellBackgroundDisplayModeBasic
	}
	return dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: options}
}

// linkTo makes the cells of a column links.
func linkTo(link map[string]any) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "links", Value: []any{link}}}
}

// hidden hides a column.
func hidden() []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "custom.hidden", Value: true}}
}
