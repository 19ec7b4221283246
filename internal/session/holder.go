package session

import (
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A holder has the token of one session, and what is known about getting on with
// it. Configurations that follow each other share it.
type holder struct {
	mu        sync.Mutex
	token     *token // the current one, or nil
	rotation  rotation
	backoff   backoff
	suspended time.Time // until when logins are held back after a rejection
	churn     int       // tokens in a row that were rejected too soon
	retired   bool
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
		h.token = t
		h.rotation.begin()
		h.backoff, h.suspended = backoff{}, time.Time{}
	}
	return h.retired
}

// accepted notes that HMP accepted t, and takes over the token that came with the
// answer; unless t has a successor.
func (h *holder) accepted(t *token, next secret.Value, begun time.Time, lifetime time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != t {
		return
	}
	if !t.young(begun, lifetime) {
		h.churn = 0
	}
	h.rotation.accepted(t)
	if !next.IsZero() && h.rotation.offered() {
		h.token = t.successor(next, begun)
	}
}

// rejected gives t up, because HMP did not accept it, unless it has a successor.
// It returns how many tokens in a row, beyond those tolerated, were rejected too soon.
func (h *holder) rejected(t *token, now time.Time, lifetime time.Duration) (excess int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != t {
		return 0
	}
	h.token = nil
	h.rotation.rejected(t)
	h.backoff.lift() // HMP has an opinion again
	if !t.young(now, lifetime) {
		h.churn = 0
		return 0
	}
	h.churn++
	return h.churn - tolerated
}

// giveUp gives up the token that there was before HMP refused another one, and
// notes until when logins are held back for that; unless it has a successor.
func (h *holder) giveUp(before *token, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token == before {
		h.token, h.suspended = nil, until
	}
}

// suspend notes until when logins are held back after a rejection.
func (h *holder) suspend(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspended = until
}

// undecided notes a login that HMP did not decide on.
func (h *holder) undecided(a hmp.Answer, now time.Time, had time.Duration, haveToken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspended = time.Time{}
	h.backoff.failed(now, a, had, haveToken)
}

// pauses tells whether a login has to wait for those before it that HMP did not
// decide on, and what the last one came to.
func (h *holder) pauses(now time.Time, have time.Duration) (hmp.Answer, bool) {
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

func (h *holder) status(now time.Time, lifetime time.Duration) Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Status{Suspended: now.Before(h.suspended)}
	if h.token != nil {
		s.TokenExpiry = h.token.ends(lifetime)
	}
	return s
}
