package report

import (
	"fmt"
	"strings"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// An Explanation says what a result means and what to do about it, in sentences.
type Explanation struct {
	Meaning, Advice string
	Runbook         string // the path and anchor of its section; "" if there is none
}

// Explain explains the result with a name, see [DisplayName].
func Explain(name string) Explanation {
	switch name {
	case NotProbed:
		return Explanation{"No probe has been made yet.", "Let Prometheus scrape the exporter, or probe now with a button on this page.", ""}
	case collector.Panicked:
		return Explanation{
			"The exporter failed in the probe, so there is no result.",
			"This is a defect of the exporter, not of the HMP. Please report it with what the exporter logged.",
			"runbook#hmpexporterpanics",
		}
	}
	info := hmp.Result(name).Info()
	e := Explanation{strings.ToUpper(info.Meaning[:1]) + info.Meaning[1:] + ".", info.Advice, "runbook#result-" + name}
	if info.Result == hmp.Valid {
		e.Runbook = ""
	}
	return e
}

// A failure is a way to fail. Sessions with the same failure share an explanation.
type failure struct {
	name               string
	status             int
	code               hmp.Code
	skipped, suspended bool
}

// A paragraph is a heading and sentences.
type paragraph struct {
	heading string
	texts   []string
}

// explanations returns a paragraph for each failure, for the service messages of each session,
// and for the versions of the HMPs.
func (r *Report) explanations() []paragraph {
	var failures []failure
	sessions := make(map[failure][]*collector.Result)
	var messages []paragraph
	versions := paragraph{heading: "Versions of HMPs:"}
	lastTarget := ""
	for i := range r.Results {
		result := &r.Results[i]
		name := result.ResultName()
		if name == "" {
			continue
		}
		if !result.Valid() {
			f := failure{name, result.StatusCode, result.Code, result.Skipped, result.Logins != nil && result.Logins.Suspended}
			if sessions[f] == nil {
				failures = append(failures, f)
			}
			sessions[f] = append(sessions[f], result)
		}
		if texts := result.Details.MessageTexts; len(texts) > 0 {
			messages = append(messages, paragraph{sessionName(result) + ": service messages", texts})
		}
		if v := result.Version; v != nil && result.Target != lastTarget {
			versions.texts = append(versions.texts, fmt.Sprintf("%s: %s, build %s", result.Target, v.Version.Version, v.Build))
			lastTarget = result.Target
		}
	}
	var all []paragraph
	for _, f := range failures {
		all = append(all, paragraph{joinNames(sessions[f]) + ": " + f.name, f.explain(sessions[f])})
	}
	all = append(all, messages...)
	if versions.texts != nil {
		all = append(all, versions)
	}
	return all
}

func (f failure) explain(sessions []*collector.Result) []string {
	explanation := Explain(f.name)
	meaning := explanation.Meaning
	var evidence []string
	if f.status != 0 {
		evidence = append(evidence, fmt.Sprintf("HTTP %d", f.status))
	}
	if f.code != "" {
		evidence = append(evidence, f.code.Text())
	}
	if evidence != nil {
		meaning = strings.TrimSuffix(meaning, ".") + " (" + strings.Join(evidence, ", ") + ")."
	}
	texts := append([]string{meaning}, reasons(sessions)...)
	if f.skipped {
		texts = append(texts, "Nothing was sent for this session.")
	}
	texts = append(texts, explanation.Advice, "More: /"+explanation.Runbook+" of a running exporter.")
	if f.suspended {
		texts = append(texts, "Do not run this command again before you have corrected that: each run tries a login, and refused logins can lock the account.")
	}
	return texts
}

// reasons returns the reasons of sessions with the same failure: one if all have the same,
// else the first few with the names of the sessions.
func reasons(sessions []*collector.Result) []string {
	var texts []string
	same := true
	for _, s := range sessions {
		r := reason(s)
		same = same && r == reason(sessions[0])
		if r != "" {
			texts = append(texts, sessionName(s)+": "+r)
		}
	}
	if same && texts != nil {
		return []string{"Reason: " + reason(sessions[0])}
	}
	if more := len(texts) - maxNames; more > 0 {
		texts = append(texts[:maxNames], "Not shown: "+Plural(more, "more reason")+".")
	}
	return texts
}

// reason returns the reason of a result. For a timeout without one, it returns the phases.
func reason(r *collector.Result) string {
	if r.Reason != "" || r.Result != hmp.Timeout {
		return r.Reason
	}
	var spent []string
	for _, phase := range r.Phases.Each() {
		if took := phase.Took.Round(time.Millisecond); took > 0 {
			spent = append(spent, fmt.Sprintf("%s %.3f s", phase.Name, took.Seconds()))
		}
	}
	if spent == nil {
		return ""
	}
	return "the time went into " + strings.Join(spent, ", ")
}
