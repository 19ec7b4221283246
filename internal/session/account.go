package session

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
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
	users int           // guarded by the keyring
	gate  chan struct{} // holds an element during a login

	mu         sync.Mutex
	rejections []time.Time // of the last rejectionPeriod
	code       hmp.Code    // of the last one
	refusals   []refusal   // one for each secret
	spares     []*token    // of sessions that are not configured any more
}

// A refusal holds back logins with one secret.
type refusal struct {
	secret config.Secret
	times  int // in a row; 0 if there were only others
	until  time.Time
	answer hmp.Answer
}

func newAccount() *account { return &account{gate: make(chan struct{}, 1)} }

// enter waits until no other login is under way.
func (a *account) enter(ctx context.Context) bool {
	select {
	case a.gate <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// tryEnter is enter without waiting.
func (a *account) tryEnter() bool {
	select {
	case a.gate <- struct{}{}:
		return true
	default:
		return false
	}
}

func (a *account) leave() { <-a.gate }

// held returns the hold on logins with a secret, and whether there is one.
func (a *account) held(secret config.Secret, now time.Time) (refusal, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	reason := fmt.Sprintf("%d logins with other secrets of this key were rejected within the hour", len(a.rejections))
	r := refusal{secret: secret, answer: hmp.Answer{Outcome: hmp.LoginRejected, Code: a.code, Reason: reason}}
	if i := a.find(secret); i >= 0 {
		r = a.refusals[i]
	}
	r = a.bound(r)
	return r, now.Before(r.until)
}

// bound returns a refusal that lasts as long as the logins of the period are used
// up, and that says how long. The last one is kept for a secret that may be right.
func (a *account) bound(r refusal) refusal {
	allowed := maxRejections
	if r.times > 0 && r.answer.Outcome == hmp.LoginRejected {
		allowed--
	}
	if n := len(a.rejections); n >= allowed {
		if until := a.rejections[n-allowed].Add(rejectionPeriod); until.After(r.until) {
			r.until = until
		}
	}
	if r.answer.Reason != "" {
		r.answer.Reason += "; "
	}
	r.answer.Reason += "no login before " + clock(r.until) + " unless the key changes"
	if len(a.rejections) < maxRejections {
		r.answer.Reason += " or its secret"
	}
	return r
}

// refuse holds logins with a secret back after they were refused; so many times in
// a row if times is not 0. It returns the hold.
func (a *account) refuse(secret config.Secret, answer hmp.Answer, times int, now time.Time) refusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	i := a.find(secret)
	if i < 0 {
		i = len(a.refusals)
		a.refusals = append(a.refusals, refusal{secret: secret})
	}
	r := &a.refusals[i]
	if r.answer.Outcome != answer.Outcome {
		r.times = 0
	}
	if r.times++; times > 0 {
		r.times = times
	}
	pace := unusable
	if answer.Outcome == hmp.LoginRejected {
		pace = wrongCredentials
		a.rejections, a.code = append(a.rejections, now), answer.Code
	}
	r.until = now.Add(max(pace.pause(r.times), min(answer.RetryAfter, maxPause)))
	r.answer = told(answer)
	return a.bound(*r)
}

// accept forgets that logins with a secret were refused.
func (a *account) accept(secret config.Secret) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.find(secret); i >= 0 {
		a.refusals = slices.Delete(a.refusals, i, i+1)
	}
}

func (a *account) find(secret config.Secret) int {
	return slices.IndexFunc(a.refusals, func(r refusal) bool { return r.secret.Equal(secret) })
}

// forget drops what does not matter any more.
func (a *account) forget(now time.Time) {
	past := now.Add(-rejectionPeriod)
	a.rejections = slices.DeleteFunc(a.rejections, func(t time.Time) bool { return !t.After(past) })
	a.refusals = slices.DeleteFunc(a.refusals, func(r refusal) bool { return !r.until.After(past) })
	a.spares = slices.DeleteFunc(a.spares, func(t *token) bool { return !t.fresh(now) })
}

// leaveSpare keeps a token for another session with the same credential.
func (a *account) leaveSpare(t *token) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spares = append(a.spares, t)
}

// takeSpare returns a fresh token of a login with a secret, or nil.
func (a *account) takeSpare(secret config.Secret, now time.Time) *token {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	i := slices.IndexFunc(a.spares, func(t *token) bool { return t.from.secret.Equal(secret) })
	if i < 0 {
		return nil
	}
	t := a.spares[i]
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
