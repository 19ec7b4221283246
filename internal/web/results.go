package web

import (
	"cmp"
	"slices"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

// Names that the status page uses beside the names of other results.
const (
	valid     = "valid"
	notProbed = "pending"
	failing   = "problems" // every result but these two
)

// bySeverity lists the results as operators look at them: the exporter itself fails, the HMP
// is down, somebody has to correct something, all is well.
var bySeverity = []string{
	collector.Panicked, "credentials",
	"connect", "dns", "tls", "protocol", "timeout",
	"internal_error", "auth_unavailable", "login_rejected", "unauthorized", "no_roles",
	"endpoint_missing", "redirect", "http_error", "bad_payload",
	"saturated", notProbed, valid,
}

func severity(name string) int { return slices.Index(bySeverity, resultName(name)) }

// resultName returns the name on pages of a [collector.Result.ResultName].
func resultName(name string) string { return cmp.Or(name, notProbed) }

// A resultInfo explains a result. Its color is in style.css, in the class r-name.
type resultInfo struct{ Name, Meaning, Advice string }

// Runbook returns the URL of the section that explains the result, relative to the pages. It is
// "" if there is nothing to do.
func (i resultInfo) Runbook() string {
	switch i.Name {
	case valid, notProbed:
		return ""
	case collector.Panicked:
		return "runbook#hmpexporterpanics"
	default:
		return "runbook#result-" + i.Name
	}
}

var resultInfos = func() map[string]resultInfo {
	infos := map[string]resultInfo{
		notProbed: {notProbed, "No probe has been made yet.", "Let Prometheus scrape the exporter, or press Probe all."},
	}
	names := []string{collector.Panicked}
	for _, i := range collector.Results() {
		names = append(names, string(i.Result))
	}
	for _, name := range names {
		meaning, advice := report.Explain(name)
		infos[name] = resultInfo{name, meaning, advice}
	}
	return infos
}()

// infoOf explains a [collector.Result.ResultName].
func infoOf(name string) resultInfo { return resultInfos[resultName(name)] }
