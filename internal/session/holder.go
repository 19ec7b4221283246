package session

import (
	"sync"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
)

// A holder has the token of one session, and what is known about getting on with
// it. Configurations that follow each other share it.
type holder struct {
	mu        sync.Mutex
	token     *token // the current one, or nil
	backoff   backoff
	suspended time.Time // until when logins are held back after a rejection
	retired   bool

	// HMP's answers may carry another token. That it is one to use is a guess,
	// which its rejection corrects.
	adopted  bool // the last one that was used was accepted
	decline  bool // they are not used
	declined bool // the current token had one
	// churn counts the tokens in a row that were rejected too soon.
	churn int
}

// tolerated is how many tokens in a row HMP may reject soon after the login
// before logins are held back: as when it is restarted, or another client of the
// same key ends the session of this one.
const tolerated = 2

func (h *holder) current() *token {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.token
}

// install makes t the current token after the one before, unless that has had a
// successor since which comes from a later login. It reports whether the session is
// not configured any more.
func (h *holder) install(t, before *token) (retired bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token == nil || h.token == before || h.token.login.Before(t.login) {
		h.token, h.declined = t, false
		h.backoff, h.suspended = backoff{}, time.Time{}
	}
	return h.retired
}

// refuse gives up the token that there was before a login which was refused, and
// notes until when logins are held back for that; unless it has a successor.
func (h *holder) refuse(before *token, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token == before {
		h.token, h.suspended = nil, until
	}
}

// confirm notes that t was accepted at a time, and takes over the one that came
// with the answer.
func (h *holder) confirm(t *token, next config.Secret, begun time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != t {
		return
	}
	if !t.young(begun) {
		h.churn = 0
	}
	h.adopted = h.adopted || t.adopted
	switch {
	case next.IsZero():
	case h.decline:
		h.declined = true
	default:
		h.token = t.successor(next, begun)
	}
}

// reject gives t up, because HMP did not accept it, unless it has a successor.
// It returns by how many more than are tolerated tokens were rejected too soon.
func (h *holder) reject(t *token, now time.Time) (excess int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != t {
		return 0
	}
	h.token = nil
	h.backoff.lift() // HMP has an opinion again
	switch {
	case t.adopted:
		h.decline, h.adopted = !h.adopted, false
	case h.declined:
		h.decline = false
	}
	if !t.young(now) {
		h.churn = 0
		return 0
	}
	h.churn++
	return h.churn - tolerated
}

// suspend notes until when logins are held back after a rejection.
func (h *holder) suspend(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspended = until
}

// failed notes a login that HMP did not decide on.
func (h *holder) failed(now time.Time, a hmp.Answer, had time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspended = time.Time{}
	h.backoff.failed(now, a, had, h.token != nil)
}

// waits tells whether a login has to wait, and what the last one came to.
func (h *holder) waits(now time.Time, have time.Duration) (hmp.Answer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.backoff.answer, h.backoff.holds(now, have)
}

// retire returns the token for another session to take over.
func (h *holder) retire() *token {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retired = true
	return h.token
}

func (h *holder) status(now time.Time) Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Status{Suspended: now.Before(h.suspended)}
	if h.token != nil {
		s.TokenExpiry = h.token.ends
	}
	return s
}
