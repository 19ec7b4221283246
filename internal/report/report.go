// Package report tells people and programs the results of probes.
//
// A [Report] is written as a table for people or as JSON for programs. [Explain] is the one
// place that turns a result into sentences.
package report

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hmp_exporter/collector"
)

// A Report has the results of sessions. It holds no secret.
type Report struct {
	// Results are in the order of the configuration. A session that was not probed has a
	// result with nothing but the names.
	Results     []collector.Result
	Start       time.Time
	Duration    time.Duration
	Interrupted bool // by a signal, before all sessions had a result
}

// maxNames bounds the names and the reasons that are listed.
const maxNames = 5

// Valid reports whether all sessions are valid.
func (r *Report) Valid() bool {
	valid, _ := r.count()
	return valid == len(r.Results)
}

// NotProbedText lists the sessions without a result.
func (r *Report) NotProbedText() string {
	var names []*collector.Result
	for i := range r.Results {
		if r.Results[i].ResultName() == "" {
			names = append(names, &r.Results[i])
		}
	}
	return "not probed: " + joinNames(names)
}

// count returns the number of valid sessions and of those without a result.
func (r *Report) count() (valid, notProbed int) {
	for i := range r.Results {
		switch {
		case r.Results[i].Valid():
			valid++
		case r.Results[i].ResultName() == "":
			notProbed++
		}
	}
	return valid, notProbed
}

// summary returns the report in one line. Nagios shows the first line of a check, and takes
// the second word for the state.
func (r *Report) summary() string {
	all := len(r.Results)
	valid, _ := r.count()
	took := fmt.Sprintf("in %.3f s", r.Duration.Seconds())
	switch {
	case r.Interrupted:
		return fmt.Sprintf("HMP INTERRUPTED: %d of %d sessions valid %s; %s", valid, all, took, r.NotProbedText())
	case valid == all:
		return fmt.Sprintf("HMP OK: %d of %d sessions valid %s", valid, all, took)
	}
	var failed []string
	for i := range r.Results {
		if result := &r.Results[i]; !result.Valid() {
			failed = append(failed, sessionName(result)+" "+DisplayName(result.ResultName()))
		}
	}
	return fmt.Sprintf("HMP FAILED: %d of %d sessions not valid %s: %s", all-valid, all, took, Join(failed, ", ", maxNames))
}

func sessionName(r *collector.Result) string { return r.Target + "/" + r.Session }

func joinNames(sessions []*collector.Result) string {
	var names []string
	for _, s := range sessions {
		names = append(names, sessionName(s))
	}
	return Join(names, ", ", maxNames)
}

// Join joins names. It joins at most the given number and counts the others.
func Join(names []string, separator string, most int) string {
	text := strings.Join(names[:min(len(names), most)], separator)
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Plural returns a number with its noun, like "1 warning" or "2 warnings".
func Plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// NotProbed is the result name of a session that was not probed.
const NotProbed = "not_probed"

// DisplayName returns the name that people see of a [collector.Result.ResultName].
func DisplayName(name string) string { return cmp.Or(name, NotProbed) }
