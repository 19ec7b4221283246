package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// A column is one of a table: a query, whose labels are columns too, and how its values are shown.
type column struct {
	expr, title string
	unit        string // seconds, unless said
	thresholds  *dashboard.ThresholdsConfigBuilder
	names       []dashboard.ValueMapping
}

// sorted is by which column a table is, until a reader sorts it otherwise.
type sorted struct {
	column     string
	descending bool
}

// list is a table of now, with a row for each combination of labels, which are given with their titles and stand in
// front.
func list(p panel, sortBy sorted, labels [][2]string, columns []column) *table.PanelBuilder {
	order, titles := map[string]int{}, map[string]string{}
	for i, l := range labels {
		order[l[0]], titles[l[0]] = i, l[1]
	}
	for i, c := range columns {
		p.queries = append(p.queries, query{c.expr, c.title})
		order[valueField(i, len(columns))], titles[valueField(i, len(columns))] = len(labels)+i, c.title
	}
	p.unit = units.Number // of columns that say nothing else
	b := fill(table.NewPanelBuilder(), p, rows).
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

// valueField is what Grafana calls the values of a query in a table.
func valueField(i, of int) string {
	if of == 1 {
		return "Value"
	}
	return "Value #" + refID(i)
}

// properties are how the cells of a column look.
func (c column) properties() []dashboard.DynamicConfigValue {
	unit := c.unit
	if unit == "" {
		unit = units.Seconds
	}
	properties := []dashboard.DynamicConfigValue{{Id: "unit", Value: unit}, {Id: "decimals", Value: decimals(unit)}}
	if c.thresholds != nil {
		properties = append(append(properties, thresholdsOf(c.thresholds)...), cells(common.TableCellDisplayModeColorText))
	}
	if c.names != nil {
		properties = append(properties,
			dashboard.DynamicConfigValue{Id: "mappings", Value: c.names},
			cells(common.TableCellDisplayModeColorBackground))
	}
	return properties
}

// decimals are as many as a reader can use.
func decimals(unit string) int {
	if unit == units.Seconds {
		return 1
	}
	return 0
}

// cells colours the cells of a column. Unless the mode of a background is basic, Grafana turns its colour into a
// gradient that ends in another hue (getCellColors in the table's utils).
func cells(mode common.TableCellDisplayMode) dashboard.DynamicConfigValue {
	options := map[string]any{"type": mode}
	if mode == common.TableCellDisplayModeColorBackground {
		options["mode"] = common.TableCellBackgroundDisplayModeBasic
	}
	return dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: options}
}
