package session

import (
	"fmt"
	"strings"
	"time"

	"hmp_exporter/internal/hmp"
)

// answerOf is how an HMP, or what is in between, comes to an outcome.
func answerOf(o hmp.Result) hmp.Answer {
	a := map[hmp.Result]hmp.Answer{
		hmp.Valid:           {StatusCode: 200},
		hmp.Unauthorized:    {StatusCode: 401, Code: hmp.UserNotAuthorized},
		hmp.NoRoles:         {StatusCode: 401, Code: hmp.UserNotAuthorized},
		hmp.LoginRejected:   {StatusCode: 401, Code: hmp.InvalidCredentials},
		hmp.AuthUnavailable: {StatusCode: 503, Code: hmp.ServiceUnavailable},
		hmp.InternalError:   {StatusCode: 500, Code: hmp.InternalServer},
		hmp.HTTPError:       {StatusCode: 502},
		hmp.Redirect:        {StatusCode: 302},
		hmp.BadPayload:      {StatusCode: 200},
	}[o]
	a.Result, a.Responded = o, a.StatusCode > 0
	return a
}

// always is a script that comes to the same every time.
func always(o hmp.Result) func(call) hmp.Answer {
	return func(call) hmp.Answer { return answerOf(o) }
}

// word writes a report in a few words: the outcome, and how it came to that.
func word(r Report) string {
	w := string(r.Result)
	if r.Login != "" {
		w += " login"
	}
	if r.Held {
		w += " held"
	}
	return w
}

// words writes reports, and runs of the same as one with their number.
func words(reports []Report) (all []string) {
	for i := 0; i < len(reports); {
		n := 1
		for i+n < len(reports) && word(reports[i+n]) == word(reports[i]) {
			n++
		}
		w := word(reports[i])
		if n > 1 {
			w = fmt.Sprintf("%s ×%d", w, n)
		}
		all = append(all, w)
		i += n
	}
	return all
}

// path writes calls in a few words: POST or GET, and what it came to.
func path(calls []call) string {
	var all []string
	for _, c := range calls {
		method := "GET "
		if c.login() {
			method = "POST "
		}
		all = append(all, method+string(c.outcome))
	}
	return strings.Join(all, ", ")
}

func filter[T any](all []T, keep func(T) bool) (kept []T) {
	for _, v := range all {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// gaps returns the times between calls.
func gaps(calls []call) (all []time.Duration) {
	for i := 1; i < len(calls); i++ {
		all = append(all, calls[i].at.Sub(calls[i-1].at))
	}
	return all
}
