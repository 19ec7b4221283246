package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"hmp_exporter/internal/hmp"
)

// An object is a panel or a dashboard in JSON.
type object map[string]any

// at follows a path of fields. It returns nil if a field is missing.
func (d object) at(path string) any {
	var v any = map[string]any(d)
	for field := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[field]
	}
	return v
}

func (d object) text(path string) string    { s, _ := d.at(path).(string); return s }
func (d object) number(path string) float64 { n, _ := d.at(path).(float64); return n }
func (d object) list(path string) (list []object) {
	all, _ := d.at(path).([]any)
	for _, v := range all {
		if m, ok := v.(map[string]any); ok {
			list = append(list, m)
		}
	}
	return list
}

func readBoards(t *testing.T) (list []object) {
	t.Helper()
	for _, uid := range []string{overviewUID, sessionUID, exporterUID} {
		text, err := os.ReadFile("../../dashboards/" + uid + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var d object
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// drawingRules prevent mistakes that only a real Grafana shows. kind "" is every panel.
var drawingRules = []struct {
	name, kind string
	broken     func(p object) string
}{
	{"a title fits into 1280 px", "", func(p object) string {
		const letter, mark, column = 8, 55, 960. / 24
		need, has := float64(letter*len(p.text("title"))+mark), column*p.number("gridPos.w")
		return when(need > has, "it needs %v px, but has %v", need, has)
	}},
	{"states are coloured by their mappings", "state-timeline", func(p object) string {
		return when(p.text("fieldConfig.defaults.color.mode") == "thresholds" && p.at("options.mergeValues") != false,
			"merged values become ranges of thresholds")
	}},
	{"each state has a colour", "state-timeline", func(p object) string { return uncoloured(p.list("fieldConfig.defaults.mappings")) }},
	{"a stat has a text for no data", "stat", func(p object) string {
		for _, m := range p.list("fieldConfig.defaults.mappings") {
			if m.text("type") == "special" && m.text("options.match") == "null+nan" {
				return when(m.text("options.result.text") == "" || m.text("options.result.color") == "", "it has no text or colour")
			}
		}
		return "no mapping of null"
	}},
	{"the unit is readable", "", func(p object) string {
		known := []string{
			units.Number, units.Short, units.Seconds, units.PercentUnit, units.BytesIEC, units.RequestsPerSecond,
			probesPerSecond, processors,
		}
		unit := p.text("fieldConfig.defaults.unit")
		return when(p.text("type") != "text" && !slices.Contains(known, unit), "%q", unit)
	}},
	{"a table is sorted by its own column, and its backgrounds have one colour", "table", func(p object) string {
		columns := map[any]bool{}
		for _, tr := range p.list("transformations") {
			names, _ := tr.at("options.renameByName").(map[string]any)
			for _, title := range names {
				columns[title] = true
			}
		}
		for _, by := range p.list("options.sortBy") {
			if !columns[by["displayName"]] {
				return fmt.Sprintf("there is no column %v", by["displayName"])
			}
		}
		for _, o := range p.list("fieldConfig.overrides") {
			for _, property := range o.list("properties") {
				if property.text("value.type") == "color-background" && property.text("value.mode") != "basic" {
					return "a gradient changes the colour of " + o.text("matcher.options")
				}
			}
			if !columns[o.at("matcher.options")] {
				return "an override is for a missing column: " + o.text("matcher.options")
			}
		}
		return ""
	}},
	{"a graph of zeros has no axis to 100", "timeseries", func(p object) string {
		unit := p.text("fieldConfig.defaults.unit")
		counts := []string{units.Number, units.RequestsPerSecond, probesPerSecond, units.PercentUnit}
		return when(slices.Contains(counts, unit) && p.number("fieldConfig.defaults.custom.axisSoftMax") <= 0, "no soft maximum")
	}},
	{"a legend shows complete rows", "timeseries", func(p object) string {
		// A legend takes at most 35 % of a panel without its header. Its rows are 24 px high.
		const unit, margin, header, share, row = 38, 8, 42, 0.35, 24
		over := math.Mod(share*(unit*p.number("gridPos.h")-margin-header), row)
		return when(over >= row/2, "%.0f px of a row are visible", over)
	}},
}

func when(is bool, format string, args ...any) string {
	if !is {
		return ""
	}
	return fmt.Sprintf("broken: "+format, args...)
}

// uncoloured returns a state without the colour of its result.
func uncoloured(mappings []object) string {
	for _, m := range mappings {
		if m.text("type") == "range" {
			if m.text("options.result.color") == "" {
				return "a range has no colour"
			}
			continue
		}
		options, _ := m["options"].(map[string]any)
		for value := range options {
			state := object(options[value].(map[string]any))
			want := noResultColor
			if n, err := strconv.Atoi(value); err == nil && n >= 1 && n <= len(hmp.Results) {
				want = colors[hmp.Results[n-1].Result]
			}
			if got := state.text("color"); got == "" || value != "0" && got != want {
				return fmt.Sprintf("state %s has colour %q, want %q", value, got, want)
			}
		}
	}
	return when(len(mappings) == 0, "no mappings")
}

// TestDrawing checks the rules for each panel.
func TestDrawing(t *testing.T) {
	for _, b := range readBoards(t) {
		for _, p := range b.list("panels") {
			for _, rule := range drawingRules {
				if p.text("type") == "row" || rule.kind != "" && rule.kind != p.text("type") {
					continue
				}
				if broken := rule.broken(p); broken != "" {
					t.Errorf("%s, %s: %s: %s", b.text("uid"), p.text("title"), rule.name, broken)
				}
			}
		}
		// An annotation is one series with a sample only in its first step, or regions hide the graph.
		for _, a := range b.list("annotations.list") {
			expr := a.text("target.expr")
			if !strings.HasPrefix(expr, "count(") || !strings.Contains(expr, " unless ") ||
				!strings.Contains(expr, "offset $__interval") {
				t.Errorf("%s, annotation %s can be a region: %s", b.text("uid"), a.text("name"), expr)
			}
		}
	}
}

// TestFirstScreen checks that the most important panels fit on a screen of 1280x800.
func TestFirstScreen(t *testing.T) {
	const unit, screen, above = 38, 800, 185 // px; above is the height of Grafana's bars and the variables
	want := []string{
		"Sessions not valid", "HMPs not answering", "Sessions missing", "Service messages", "Sessions that fail",
		"Probe nearest its timeout", "Next token to expire", "Next certificate to expire",
	}
	for i, p := range readBoards(t)[0].list("panels")[:len(want)] {
		bottom := above + unit*(p.number("gridPos.y")+p.number("gridPos.h"))
		if p.text("title") != want[i] || bottom > screen {
			t.Errorf("panel %d is %q and ends at %v px, want %q within %d", i, p.text("title"), bottom, want[i], screen)
		}
	}
}
