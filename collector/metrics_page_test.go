package collector

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
)

// The tables of docs/metrics.md are made from those of the code.
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

// sessionsFirst puts what people look for before what the exporter says of itself.
func sessionsFirst(a, b Metric) int {
	own := func(m Metric) int { return int(boolToFloat(m.samples == nil)) }
	if c := own(a) - own(b); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

func resultsTable() string {
	var b strings.Builder
	b.WriteString("| result | meaning |\n| --- | --- |\n")
	for _, o := range hmp.Results {
		fmt.Fprintf(&b, "| [`%s`](runbook.md#result-%[1]s) | %s |\n", o.Result, o.Meaning)
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
