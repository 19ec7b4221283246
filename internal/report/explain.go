package report

import (
	"fmt"
	"strings"
	"time"

	"hmp_exporter/internal/hmp"
)

// A failure is what sessions have in common that failed alike.
type failure struct {
	result    string
	status    int
	code      hmp.Code
	held      bool
	suspended bool
}

func (a *Attempt) failure() failure {
	r := a.Result
	return failure{a.ResultName(), r.StatusCode, r.Code, r.Skipped, r.Logins != nil && r.Logins.Suspended}
}

// A paragraph is a head and sentences about it.
type paragraph struct {
	head  string
	texts []string
}

// explanations say of each failure what it means and what to do, once for all sessions that
// failed alike, then what HMP has to say to users, and then which versions HMPs have.
func (r *Report) explanations() []paragraph {
	var order []failure
	alike := make(map[failure][]*Attempt)
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Result == nil || a.Valid() {
			continue
		}
		f := a.failure()
		if alike[f] == nil {
			order = append(order, f)
		}
		alike[f] = append(alike[f], a)
	}
	var all []paragraph
	for _, f := range order {
		var names []string
		for _, a := range alike[f] {
			names = append(names, a.Name())
		}
		all = append(all, paragraph{
			head:  list(names) + ": " + f.result,
			texts: f.explain(alike[f]),
		})
	}
	all = append(all, r.messages()...)
	if v := r.versions(); v.texts != nil {
		all = append(all, v)
	}
	return all
}

// explain says what is the case, how that is known, and what to do.
func (f failure) explain(alike []*Attempt) []string {
	info := hmp.Result(f.result).Info()
	if info.Result == "" {
		return append(append([]string{"The exporter failed within the probe."}, reasons(alike)...),
			"This is a defect of the exporter: please report it, with what stands on the standard error.")
	}
	what := strings.ToUpper(info.Meaning[:1]) + info.Meaning[1:]
	if seen := f.evidence(); seen != "" {
		what += " (" + seen + ")"
	}
	texts := append([]string{what + "."}, reasons(alike)...)
	if f.held {
		texts = append(texts, "Nothing was sent for this session.")
	}
	texts = append(texts, info.Advice, "More: /runbook#result-"+f.result+" of a running exporter.")
	if f.suspended {
		texts = append(texts, "Do not repeat this before that is done: "+
			"each run tries a login, and refused logins can lock the account.")
	}
	return texts
}

// evidence is what HMP answered.
func (f failure) evidence() string {
	var seen []string
	if f.status != 0 {
		seen = append(seen, fmt.Sprintf("HTTP %d", f.status))
	}
	if f.code != "" {
		seen = append(seen, f.code.Text())
	}
	return strings.Join(seen, ", ")
}

// reasons say more of failures that are alike: once if all have the same reason, else by
// session, the first few of them.
func reasons(alike []*Attempt) []string {
	var texts []string
	same := true
	for _, a := range alike {
		same = same && a.reason() == alike[0].reason()
	}
	for _, a := range alike {
		switch reason := clean(a.reason()); {
		case reason == "":
		case same:
			return []string{"Reason: " + reason}
		default:
			texts = append(texts, a.Name()+": "+reason)
		}
	}
	if more := len(texts) - mostNames; more > 0 {
		texts = append(texts[:mostNames], "Not shown: "+Plural(more, "more reason")+".")
	}
	return texts
}

// reason is why the result is what it is, "" if there is no more to say.
func (a *Attempt) reason() string {
	if a.Result.Reason != "" || a.Result.Result != hmp.Timeout {
		return a.Result.Reason
	}
	var spent []string
	for _, phase := range a.Result.Phases.Each() {
		if took := phase.Took.Round(time.Millisecond); took > 0 {
			spent = append(spent, fmt.Sprintf("%s %.3f s", phase.Name, took.Seconds()))
		}
	}
	if len(spent) == 0 {
		return ""
	}
	return "the time went into " + strings.Join(spent, ", ")
}

// messages are the service messages, of targets that show them.
func (r *Report) messages() []paragraph {
	var all []paragraph
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Result == nil || len(a.Result.Details.MessageTexts) == 0 {
			continue
		}
		p := paragraph{head: a.Name() + ": service messages"}
		for _, text := range a.Result.Details.MessageTexts {
			p.texts = append(p.texts, clean(text))
		}
		all = append(all, p)
	}
	return all
}

// versions are those of the HMPs that have told theirs.
func (r *Report) versions() paragraph {
	p := paragraph{head: "Versions of HMPs:"}
	before := ""
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Target != before && a.Result != nil && a.Result.Version != nil {
			v := a.Result.Version
			p.texts = append(p.texts, clean(fmt.Sprintf("%s: %s, build %s", a.Target, v.Version.Version, v.Build)))
			before = a.Target
		}
	}
	return p
}
