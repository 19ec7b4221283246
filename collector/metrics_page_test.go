package collector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
)

// TestMetricsPage compares the tables of docs/metrics.md with the code.
func TestMetricsPage(t *testing.T) {
	exportertest.CheckTables(t, "../docs/metrics.md", *update, map[string]string{"metrics": metricsTable(), "results": resultsTable(), "errors": errorsTable()})
}

func metricsTable() string {
	var b strings.Builder
	b.WriteString("| metric | type | further labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, m := range slices.SortedFunc(slices.Values(Metrics), sessionsFirst) {
		labels := ""
		if more := strings.TrimSpace(strings.TrimSuffix(strings.Join(m.Labels, " "), "session target")); more != "" {
			labels = "`" + strings.ReplaceAll(more, " ", "` `") + "`"
		}
		help, field := strings.CutSuffix(m.Help, informational)
		help = strings.TrimSuffix(help, ".")
		if field {
			help += " \\*"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, strings.ToLower(m.Type.String()), labels, help)
	}
	return b.String()
}

// sessionsFirst orders metrics by name. Metrics about the exporter itself come last.
func sessionsFirst(a, b Metric) int {
	aboutExporter := func(m Metric) int { return int(boolToFloat(m.samples == nil)) }
	return cmp.Or(aboutExporter(a)-aboutExporter(b), strings.Compare(a.Name, b.Name))
}

func resultsTable() string {
	var b strings.Builder
	b.WriteString("| result | meaning |\n| --- | --- |\n")
	for _, info := range hmp.Results {
		fmt.Fprintf(&b, "| [`%s`](runbook.md#result-%[1]s) | %s |\n", info.Result, info.Meaning)
	}
	return b.String()
}

func errorsTable() string {
	var b strings.Builder
	b.WriteString("| code | name | HTTP status | meaning |\n| --- | --- | --- | --- |\n")
	for _, e := range hmp.Catalogue {
		status := "any"
		if e.Family != 0 {
			status = fmt.Sprint(e.Family)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Code, e.Name, status, e.Meaning)
	}
	return b.String()
}
