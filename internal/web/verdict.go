package web

import (
	"cmp"
	"slices"
	"strings"

	"hmp_exporter/collector"
)

// Words that the page has for sessions beside the results of probes.
const (
	well     = "valid"
	pending  = "pending"  // not probed yet
	problems = "problems" // probed, and not valid
)

// A verdict is what the page says of a result. Its colour is that of the class r-word
// in style.css, which is the one place for colours.
type verdict struct {
	Word, Meaning, Advice string
}

// gravest lists the words from the gravest to the best, as operators want to see them:
// what blinds the exporter, what is down, what somebody has to put right, what is well.
var gravest = []string{
	collector.Panicked, "credentials",
	"connect", "dns", "tls", "protocol", "timeout",
	"internal_error", "auth_unavailable", "login_rejected", "unauthorized", "no_roles",
	"endpoint_missing", "redirect", "http_error", "bad_payload",
	"saturated", pending, well,
}

var verdicts = func() map[string]verdict {
	all := map[string]verdict{
		collector.Panicked: {collector.Panicked, "the exporter itself failed within the probe, so there is no result",
			"This is a defect of the exporter, not of the HMP. Its log has a line about it: please report that."},
		pending: {pending, "no probe has been made yet",
			"Let Prometheus scrape the exporter, or press Probe all."},
	}
	for _, i := range collector.Results() {
		all[string(i.Result)] = verdict{string(i.Result), i.Meaning, i.Advice}
	}
	for word, v := range all {
		v.Meaning = sentence(v.Meaning)
		all[word] = v
	}
	return all
}()

// verdictOf returns that of [collector.Result.ResultName].
func verdictOf(word string) verdict { return verdicts[cmp.Or(word, pending)] }

// sentence makes one of what the catalogue has as half a sentence.
func sentence(half string) string {
	return strings.ToUpper(half[:1]) + strings.TrimSuffix(half[1:], ".") + "."
}

// gravity sorts words, the gravest first.
func gravity(word string) int { return slices.Index(gravest, cmp.Or(word, pending)) }
