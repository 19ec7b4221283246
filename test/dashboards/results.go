package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"hmp_exporter/internal/hmp"
)

// colors has the colour of each result on all dashboards, as on the status page: green is valid,
// red a failure of HMP, orange a credential, purple a role, yellow to brown a wrong answer,
// pink to violet no answer, blue-grey the exporter.
var colors = map[hmp.Result]string{
	hmp.Valid:           "green",
	hmp.NoRoles:         "purple",
	hmp.Unauthorized:    "orange",
	hmp.LoginRejected:   "dark-orange",
	hmp.AuthUnavailable: "red",
	hmp.InternalError:   "dark-red",
	hmp.EndpointMissing: "dark-yellow",
	hmp.Redirect:        "yellow",
	hmp.HTTPError:       "#b58900",
	hmp.BadPayload:      "#8a6d3b",
	hmp.Timeout:         "#ec4899",
	hmp.DNS:             "#d98ae6",
	hmp.Connect:         "#c026a3",
	hmp.TLS:             "#7e3f98",
	hmp.Protocol:        "#b5305f",
	hmp.Credentials:     "#708090",
	hmp.Saturated:       "#4f6d8a",
}

// The text and the colour of a session without a result, after a panic of the exporter.
const noResult, noResultColor = "no result", "#7a1414"

// resultText returns the text of a result.
func resultText(o hmp.Result) string { return strings.ReplaceAll(string(o), "_", " ") }

// valueNames maps values to names.
func valueNames(options map[string]dashboard.ValueMappingResult) []dashboard.ValueMapping {
	return []dashboard.ValueMapping{
		{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}},
	}
}

// resultNames maps the number of a result to its text and colour.
func resultNames() []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{
		strconv.Itoa(len(hmp.Results) + 1): {Text: new(noResult), Color: new(noResultColor), Index: new(int32(0))},
	}
	for i, o := range hmp.Results {
		options[strconv.Itoa(i+1)] = dashboard.ValueMappingResult{
			Text: new(resultText(o.Result)), Color: new(colors[o.Result]), Index: new(int32(i + 1)),
		}
	}
	return valueNames(options)
}

// resultColors sets the colours of series that have the name of a result.
func resultColors(b *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	for _, o := range hmp.Results {
		b.OverrideByName(string(o.Result), []dashboard.DynamicConfigValue{fixedColor(colors[o.Result])})
	}
	return b.
		OverrideByName(noResult, []dashboard.DynamicConfigValue{fixedColor(noResultColor)}).
		OverrideByName(loginSuccess, []dashboard.DynamicConfigValue{fixedColor(colors[hmp.Valid])})
}

// loginSuccess is the result of a successful login.
const loginSuccess = "success"

// statusNames sets the colours of HTTP statuses.
func statusNames() []dashboard.ValueMapping {
	names := valueNames(map[string]dashboard.ValueMappingResult{
		"0": {Text: new("none"), Color: new("#708090"), Index: new(int32(0))},
	})
	for i, color := range []string{"blue", "green", "yellow", "orange", "red"} {
		from := float64(100 * (i + 1))
		names = append(names, dashboard.ValueMapping{RangeMap: &dashboard.RangeMap{
			Type: dashboard.MappingTypeRangeToText,
			Options: dashboard.DashboardRangeMapOptions{
				From: new(from), To: new(from + 99),
				Result: dashboard.ValueMappingResult{Color: new(color), Index: new(int32(i + 1))},
			},
		}})
	}
	return names
}

// resultHelp returns tables with the meaning and the advice of each result and error code.
func resultHelp() string {
	var text strings.Builder
	text.WriteString("| result | meaning | what to do |\n| --- | --- | --- |\n")
	for _, o := range hmp.Results {
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", o.Result, o.Meaning, o.Advice)
	}
	fmt.Fprintf(&text, "| %s | a defect of the exporter ended the probe | Report the line in its log. |\n", noResult)
	text.WriteString("\n| code | name | meaning | what to do |\n| --- | --- | --- | --- |\n")
	for _, e := range hmp.Catalogue {
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", e.Code, e.Name, e.Meaning, e.Advice)
	}
	return text.String()
}

// resultTextColors sets the colours of table cells with results.
func resultTextColors() []dashboard.DynamicConfigValue {
	options := map[string]dashboard.ValueMappingResult{noResult: {Color: new(noResultColor), Index: new(int32(0))}}
	for i, o := range hmp.Results {
		options[string(o.Result)] = dashboard.ValueMappingResult{Color: new(colors[o.Result]), Index: new(int32(i + 1))}
	}
	return []dashboard.DynamicConfigValue{
		{Id: "mappings", Value: valueNames(options)}, cellType(common.TableCellDisplayModeColorText),
	}
}

// resultHelpHeight is the height of the help. A row of its tables takes one unit.
func resultHelpHeight() uint32 { return uint32(len(hmp.Results) + len(hmp.Catalogue) + 8) } //nolint:gosec // few

// stateColors sets the colours of pending and firing alerts.
func stateColors() dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "mappings", Value: valueNames(map[string]dashboard.ValueMappingResult{
		"firing":  {Color: new(bad), Index: new(int32(0))},
		"pending": {Color: new(warning), Index: new(int32(1))},
	})}
}
