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

// A refusal is HMP's answer to the last login with a secret, if HMP refused it.
type refusal struct {
	answer hmp.Answer // its result is "" if there is no refusal
	until  time.Time
}

// The refusedLogins are the logins of a key that HMP refused within refusedPeriod.
type refusedLogins struct {
	times    []time.Time // in order
	lastCode hmp.Code
}

// add adds a login.
func (r *refusedLogins) add(now time.Time, code hmp.Code) {
	r.forget(now)
	r.times, r.lastCode = append(r.times, now), code
}

// forget drops the logins that are older than refusedPeriod.
func (r *refusedLogins) forget(now time.Time) {
	past := now.Add(-refusedPeriod)
	r.times = slices.DeleteFunc(r.times, func(t time.Time) bool { return !t.After(past) })
}

// belowLimitAt returns when fewer than n refused logins will be left within the period.
// It returns zero if there are fewer now.
func (r *refusedLogins) belowLimitAt(n int) time.Time {
	if len(r.times) < n {
		return time.Time{}
	}
	return r.times[len(r.times)-n].Add(refusedPeriod)
}

// recordRefusal records that HMP refused a login.
func (c *credentialState) recordRefusal(answer hmp.Answer, now time.Time) {
	repeat := repeatNoRoles
	if answer.Result == hmp.LoginRejected {
		repeat = repeatRefused
		c.key.refused.add(now, answer.Code)
	}
	c.backoff = backoff{}
	c.refusal = refusal{repeatable(answer), now.Add(max(repeat, min(answer.RetryAfter, maxLoginWait)))}
}

// lockedOut reports whether a login has to wait because HMP refused one. The answer is then
// that of the refused login, and its reason says when the next login comes.
//
// A refused secret waits 30 minutes, and until the key has fewer than four refusals in the
// last hour. The fifth login is for another secret. That one waits only if the key has five
// refusals and HMP never accepted it.
func (c *credentialState) lockedOut(now time.Time) (answer hmp.Answer, blocked bool) {
	refused, answer, until := &c.key.refused, c.refusal.answer, c.refusal.until
	refused.forget(now)
	switch {
	case answer.Result == hmp.LoginRejected:
		if free := refused.belowLimitAt(maxRefused - 1); free.After(until) {
			until = free
		}
	case answer.Result == "" && !c.accepted:
		until = refused.belowLimitAt(maxRefused)
	}
	if !now.Before(until) {
		return hmp.Answer{}, false
	}
	if answer.Result == "" {
		answer.Result, answer.Code = hmp.LoginRejected, refused.lastCode
	}
	answer.Reason = c.lockoutReason(answer.Reason, until)
	return answer, true
}

// NextLoginPrefix begins the part of a reason that says when the next login comes. The
// command probe removes that part, because its next run does not know of the refused login.
const NextLoginPrefix = "the exporter tries this secret "

// lockoutReason adds to a reason when the next login comes, and how to get an earlier one.
func (c *credentialState) lockoutReason(reason string, until time.Time) string {
	if reason != "" {
		reason += "; "
	}
	next, change := "at "+formatTime(until), "change the secret, or "
	if c.refusal.answer.Result == hmp.NoRoles {
		change = "" // another secret gives no role
	}
	refused := c.refusal.answer.Result != ""
	if refused {
		next = "again " + next
	}
	if free := c.key.refused.belowLimitAt(maxRefused); !free.IsZero() {
		reason += fmt.Sprintf("HMP refused %d logins of this key within an hour; ", len(c.key.refused.times))
		change = ""
		if refused {
			next += ", and a new secret at " + formatTime(free)
		}
	}
	return fmt.Sprintf("%s"+NextLoginPrefix+"%s. For an earlier login, %spress \"Try the login now\" on the session's page.",
		reason, next, change)
}

// formatTime formats a time for people, rounded up to whole seconds.
func formatTime(t time.Time) string { return t.Add(time.Second - 1).UTC().Format("15:04:05 UTC") }
