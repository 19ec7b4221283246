package token

import (
	"fmt"
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	// maxRefused is how many logins of a key HMP may refuse within refusedPeriod.
	// HMP's high-security mode locks accounts after some number that is not documented.
	maxRefused    = 5
	refusedPeriod = time.Hour
	// repeatRefused is the minimum time between two logins with a secret that HMP
	// refused. It leaves most of maxRefused to changed secrets.
	repeatRefused = 30 * time.Minute
	// repeatNoRoles is the same for a user without roles. HMP accepted the secret, so
	// the login does not count towards a lock-out.
	repeatNoRoles = time.Minute
)

// An apiKey is the state of an API key on one HMP, with any secret. The manager's lock
// guards it.
type apiKey struct {
	loginDone      chan struct{} // nil unless a login is under way; closed when it has ended
	refused        []time.Time   // logins of the last refusedPeriod, in order
	code           hmp.Code      // of the last one
	retryRequested time.Time     // when an operator last asked for a login
	lastUsed       time.Time
}

// A refusal is HMP's answer to the last login with a secret, if HMP refused it.
type refusal struct {
	answer hmp.Answer // its result is "" if there is no refusal
	until  time.Time
}

// forget drops refused logins that are older than refusedPeriod.
func (a *apiKey) forget(now time.Time) {
	past := now.Add(-refusedPeriod)
	a.refused = slices.DeleteFunc(a.refused, func(t time.Time) bool { return !t.After(past) })
}

// belowLimitAt returns when fewer than n refused logins will be left within the period.
// It returns zero if there are fewer now.
func (a *apiKey) belowLimitAt(n int) time.Time {
	if len(a.refused) < n {
		return time.Time{}
	}
	return a.refused[len(a.refused)-n].Add(refusedPeriod)
}

// recordRefusal records that HMP refused a login.
func (c *credential) recordRefusal(answer hmp.Answer, now time.Time) {
	repeat := repeatNoRoles
	if answer.Result == hmp.LoginRejected {
		repeat = repeatRefused
		c.key.forget(now)
		c.key.refused, c.key.code = append(c.key.refused, now), answer.Code
	}
	c.backoff = backoff{}
	c.refusal = refusal{repeatable(answer), now.Add(max(repeat, min(answer.RetryAfter, maxRetryAfter)))}
}

// lockedOut reports whether a login has to wait because HMP refused one, and why.
//
// A refused secret waits 30 minutes. It may use four of five logins per hour. Another
// secret waits only if no login is left and HMP never accepted it.
func (c *credential) lockedOut(now time.Time) (hmp.Answer, bool) {
	a, why, until := c.key, c.refusal.answer, c.refusal.until
	a.forget(now)
	switch {
	case why.Result == hmp.LoginRejected:
		if free := a.belowLimitAt(maxRefused - 1); free.After(until) {
			until = free
		}
	case why.Result == "" && !c.accepted:
		until = a.belowLimitAt(maxRefused)
	}
	if !now.Before(until) {
		return hmp.Answer{}, false
	}
	if why.Result == "" {
		why.Result, why.Code = hmp.LoginRejected, a.code
	}
	why.Reason = c.lockoutReason(why.Reason, until)
	return why, true
}

// NextLogin begins the part of a reason that says when the exporter logs in again. The command
// probe leaves that part out, because its next run does not know it.
const NextLogin = "the exporter tries this secret "

// lockoutReason says when the next login comes, and what makes it come earlier.
func (c *credential) lockoutReason(why string, until time.Time) string {
	if why != "" {
		why += "; "
	}
	next, change := "at "+clock(until), "change the secret, or "
	refused := c.refusal.answer.Result != ""
	if refused {
		next = "again " + next
	}
	if free := c.key.belowLimitAt(maxRefused); !free.IsZero() {
		why += fmt.Sprintf("HMP refused %d logins of this key within an hour; ", len(c.key.refused))
		change = ""
		if refused {
			next += ", and a new secret at " + clock(free)
		}
	}
	return fmt.Sprintf("%s"+NextLogin+"%s. For an earlier login, %spress \"Try the login now\" on the session's page.",
		why, next, change)
}
