package report

import (
	"fmt"
	"strconv"
	"strings"
)

// mostNames bounds the sessions that are named in one line.
const mostNames = 5

// summary says in one line how all went. Its second word is the state, as Nagios has it in
// the first line of a check.
func (r *Report) summary() string {
	all := len(r.Attempts)
	_, valid := r.count()
	took := fmt.Sprintf("in %.3f s", r.Duration.Seconds())
	switch {
	case r.Interrupted:
		return fmt.Sprintf("HMP INTERRUPTED: %d of %d sessions valid %s; %s", valid, all, took, r.left())
	case valid == all:
		return fmt.Sprintf("HMP OK: %d of %d sessions valid %s", valid, all, took)
	}
	var failed []string
	for i := range r.Attempts {
		if a := &r.Attempts[i]; !a.Valid() {
			failed = append(failed, a.Name()+" "+a.ResultName())
		}
	}
	return fmt.Sprintf("HMP FAILED: %d of %d sessions not valid %s: %s", all-valid, all, took, list(failed))
}

// left says what was not probed.
func (r *Report) left() string {
	var names []string
	for i := range r.Attempts {
		if a := &r.Attempts[i]; a.Result == nil {
			names = append(names, a.Name())
		}
	}
	return "not probed: " + list(names)
}

// list joins names, the first few if there are many.
func list(names []string) string { return Join(names, ", ", mostNames) }

// Join joins names. If there are more than most, it joins the first ones and counts the others.
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

// ResultName is what became of a session, in one word.
func (a *Attempt) ResultName() string {
	if a.Result == nil {
		return notProbed
	}
	return a.Result.ResultName()
}

const notProbed = "not_probed"
