package web

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"hmp_exporter/collector"
)

// A probeView is one probe in detail.
type probeView struct {
	Verdict   verdict
	Held      bool
	Reason    string
	At        moment
	Took      string // "" if nothing was sent
	Timeout   string
	Parts     []part
	PartsText string
	Exchanges []exchangeView
	Notes     []string
}

// An exchangeView is one request of a probe and the response to it.
type exchangeView struct {
	Method, Result, Took string
	Proto                string
	Status               int
	Request, Response    []field
}

type field struct {
	Name, Value string
	Hidden      bool
}

func probeOf(r *collector.Result, now time.Time) probeView {
	p := probeView{
		Verdict: verdictOf(r.ResultName()),
		Held:    r.Skipped,
		Reason:  r.Reason,
		At:      momentOf(r.Start, now, 0),
		Timeout: latency(r.Timeout),
		Notes:   notesOf(r),
	}
	if _, sent := r.Up(); sent {
		p.Took = latency(r.Duration)
	}
	p.Parts, p.PartsText = partsOf(r)
	for _, x := range r.Exchanges {
		view := exchangeView{
			Method: x.Method, Result: string(x.Result), Took: latency(x.Took), Proto: x.Proto, Status: x.StatusCode,
		}
		for _, f := range x.Request.Fields() {
			view.Request = append(view.Request, field(f))
		}
		for _, f := range x.Response.Fields() {
			view.Response = append(view.Response, field(f))
		}
		p.Exchanges = append(p.Exchanges, view)
	}
	return p
}

// notesOf says what else there is to say of how a probe went.
func notesOf(r *collector.Result) []string {
	var notes []string
	note := func(when bool, format string, a ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, a...))
		}
	}
	note(r.Skipped, "Nothing was sent.")
	documented := r.Code.Info().Family != 0
	note(documented, "HMP's error code is %s: %s.", r.Code.Text(), r.Code.Info().Meaning)
	note(r.Code != "" && !documented, "The error code is not one that HMP documents for this call: %s.", r.Code.Text())
	note(r.Logins != nil && r.Logins.Last != "", "A login was a part of this probe; it ended in %s.", lastLogin(r))
	note(r.BodySize > 0, "%s of the body were read.", size(r.BodySize))
	note(len(r.InvalidFields) > 0, "Fields left out, as they are not what is documented: %s.", commas(r.InvalidFields))
	note(r.Rotated, "The answer carried another authToken than the one sent.")
	note(r.RetryAfter > 0, "HMP asked to wait %s before the next call.", age(r.RetryAfter))
	return notes
}

func lastLogin(r *collector.Result) string {
	if r.Logins == nil {
		return ""
	}
	return collector.LoginResult(r.Logins.Last)
}

// factsOf lists what the last probe told of a session.
func factsOf(r *collector.Result, now time.Time) []fact {
	var facts []fact
	add := func(known bool, name, format string, a ...any) {
		if known {
			facts = append(facts, fact{Name: name, Value: fmt.Sprintf(format, a...)})
		}
	}
	d := &r.Details
	add(r.StatusCode != 0, "HTTP status", "%d", r.StatusCode)
	add(r.Code != "", "Error code", "%s", r.Code.Text())
	if d.Admin != nil {
		add(true, "Administrator", "%s", map[bool]string{true: "yes", false: "no"}[*d.Admin])
	}
	if d.Roles != nil {
		add(true, "Roles", "%d", *d.Roles)
	}
	if d.LoginFailures != nil {
		add(true, "Failed logins", "%g", *d.LoginFailures)
	}
	for _, f := range []fact{{Name: "Last login", At: momentOf(d.LastLogin, now, 0)}, {Name: "Last action", At: momentOf(d.LastAction, now, 0)}} {
		if f.At.ISO != "" {
			facts = append(facts, f)
		}
	}
	add(r.Rotations > 0, "Token changes", "%d", r.Rotations)
	if r.Logins != nil {
		for _, result := range slices.Sorted(maps.Keys(r.Logins.Counts)) {
			add(true, "Logins: "+collector.LoginResult(result), "%d", r.Logins.Counts[result])
		}
		add(r.Logins.Suspended, "Logins", "held back after a rejection")
	}
	return facts
}
