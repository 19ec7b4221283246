package web

import (
	"slices"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

const (
	valid    = "valid"    // the name of a result
	problems = "problems" // a choice of the filter: every result but valid and not_probed; also an order
)

// bySeverity lists the results as operators look at them: the exporter itself fails, the HMP
// is down, somebody has to correct something, all is well.
var bySeverity = []string{
	collector.Panicked, "credentials",
	"connect", "dns", "tls", "protocol", "timeout",
	"internal_error", "auth_unavailable", "login_rejected", "unauthorized", "no_roles",
	"endpoint_missing", "redirect", "http_error", "bad_payload",
	"saturated", report.NotProbed, valid,
}

func severity(name string) int { return slices.Index(bySeverity, report.DisplayName(name)) }

// A resultInfo explains a result. Its color is in style.css, in the class r-name.
type resultInfo struct {
	Name string
	report.Explanation
}

// infoOf explains a [collector.Result.ResultName].
func infoOf(name string) resultInfo {
	name = report.DisplayName(name)
	return resultInfo{name, report.Explain(name)}
}
