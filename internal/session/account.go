package session

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

const (
	// maxRejections is how many logins with wrong credentials there may be within
	// a rejectionPeriod. HMP's high-security mode locks accounts after some number
	// that is not documented.
	maxRejections   = 5
	rejectionPeriod = time.Hour
)

// An account is what an API key stands for on one HMP. It outlasts sessions and
// configurations, because HMP does not forget with a reload either.
type account struct {
	users  int                 // guarded by the keyring
	logins *semaphore.Weighted // of weight 1: one at a time

	mu         sync.Mutex
	rejections []time.Time // of the last rejectionPeriod
	code       hmp.Code    // of the last one
	refusals   []refusal   // one for each secret
	spares     []spare     // of sessions that are not configured any more
}

// A spare is a token, and how long it is good for a session to begin with.
type spare struct {
	*token
	until time.Time
}

// A refusal holds back logins with one secret.
type refusal struct {
	secret secret.Value
	times  int // in a row; 0 if there were only others
	until  time.Time
	answer hmp.Answer
}

func newAccount() *account { return &account{logins: semaphore.NewWeighted(1)} }

// held returns the hold on logins with a secret, and whether there is one.
func (a *account) held(secret secret.Value, now time.Time) (refusal, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	r := refusal{secret: secret}
	if i := a.find(secret); i >= 0 {
		r = a.refusals[i]
	}
	if r.until = a.end(r); !now.Before(r.until) {
		return refusal{}, false
	}
	if r.times == 0 {
		r.answer = hmp.Answer{
			Result: hmp.LoginRejected, Code: a.code,
			Reason: fmt.Sprintf("%d logins with other secrets of this key were rejected within the hour", len(a.rejections)),
		}
	}
	return a.explained(r), true
}

// end is when a refusal ends: later than by itself while the logins of the period
// are used up. The last of these is kept for a secret that may be the right one.
func (a *account) end(r refusal) time.Time {
	allowed := maxRejections
	if r.times > 0 && r.answer.Result == hmp.LoginRejected {
		allowed--
	}
	n := len(a.rejections)
	if n < allowed {
		return r.until
	}
	free := a.rejections[n-allowed].Add(rejectionPeriod)
	if free.After(r.until) {
		return free
	}
	return r.until
}

// explained returns a refusal whose reason says what ends it.
func (a *account) explained(r refusal) refusal {
	if r.answer.Reason != "" {
		r.answer.Reason += "; "
	}
	r.answer.Reason += "no login before " + clock(r.until) + " unless the key changes"
	if len(a.rejections) < maxRejections {
		r.answer.Reason += " or its secret"
	}
	return r
}

// refuse holds logins with a secret back after one was refused, the more of them
// there were in a row: so many before, if that is known, or else as they were
// counted. It returns the hold, which does not get shorter by this.
func (a *account) refuse(secret secret.Value, answer hmp.Answer, before int, now time.Time) refusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	i := a.find(secret)
	if i < 0 {
		i = len(a.refusals)
		a.refusals = append(a.refusals, refusal{secret: secret})
	}
	r := a.refusals[i]
	times := before
	if times == 0 && r.answer.Result == answer.Result {
		times = r.times
	}
	pace := unusable
	if answer.Result == hmp.LoginRejected {
		pace = wrongCredentials
		a.rejections, a.code = append(a.rejections, now), answer.Code
	}
	times++
	if until := now.Add(max(pace.pause(times), min(answer.RetryAfter, maxPause))); until.After(r.until) {
		r.times, r.until, r.answer = times, until, told(answer)
		a.refusals[i] = r
	}
	r.until = a.end(r)
	return a.explained(r)
}

// accept forgets that logins with a secret were refused.
func (a *account) accept(secret secret.Value) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.find(secret); i >= 0 {
		a.refusals = slices.Delete(a.refusals, i, i+1)
	}
}

func (a *account) find(secret secret.Value) int {
	return slices.IndexFunc(a.refusals, func(r refusal) bool { return r.secret.Equal(secret) })
}

// forget drops what does not matter any more.
func (a *account) forget(now time.Time) {
	past := now.Add(-rejectionPeriod)
	a.rejections = slices.DeleteFunc(a.rejections, func(t time.Time) bool { return !t.After(past) })
	a.refusals = slices.DeleteFunc(a.refusals, func(r refusal) bool { return !r.until.After(past) })
	a.spares = slices.DeleteFunc(a.spares, func(s spare) bool { return !now.Before(s.until) })
}

// leaveSpare keeps a token for another session with the same credential.
func (a *account) leaveSpare(t *token, lifetime time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spares = append(a.spares, spare{t, t.due(lifetime)})
}

// takeSpare returns a token of a login with a secret, or nil.
func (a *account) takeSpare(secret secret.Value, now time.Time) *token {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	i := slices.IndexFunc(a.spares, func(s spare) bool { return s.from.secret.Equal(secret) })
	if i < 0 {
		return nil
	}
	t := a.spares[i].token
	a.spares = slices.Delete(a.spares, i, i+1)
	return t
}

// idle tells whether there is nothing to remember.
func (a *account) idle(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	return len(a.rejections)+len(a.refusals)+len(a.spares) == 0
}

// clock writes a time for a person to read.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
