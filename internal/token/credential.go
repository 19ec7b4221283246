package token

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A credential is the state of a [Credential]. The manager's lock guards it.
type credential struct {
	key   *apiKey
	token *token // the current one, or nil
	// ignoreNew is true while the exporter ignores new tokens in answers. It begins when HMP
	// rejects such a token. It ends when HMP rejects the token of a login: HMP may have ended
	// that token because it issued a new one.
	ignoreNew bool
	limiter   loginLimiter
	backoff   backoff
	refusal   refusal
	accepted  bool // HMP accepted the secret in a login
	retry     bool // an operator asked for a login at once
	lastUsed  time.Time
}

// setToken makes t the current token. It comes from a login that has just succeeded.
func (c *credential) setToken(t *token, now time.Time, lifetime time.Duration) {
	c.token, c.accepted = t, true
	c.backoff, c.refusal = backoff{}, refusal{}
	c.limiter.recordLogin(now, lifetime)
}

// confirm records that HMP accepted t, and takes over the token in the answer. It does
// nothing if another token has replaced t.
func (c *credential) confirm(t *token, next secret.Value, begun time.Time) {
	if c.token != t {
		return
	}
	if !next.IsZero() && !c.ignoreNew {
		c.token = &token{value: next, loginAt: t.loginAt, rotated: true, issued: begun, jitter: newJitter()}
	}
}

// discard drops t, because HMP did not accept it. If another token has replaced t, it
// does nothing and returns false.
func (c *credential) discard(t *token, answer hmp.Answer, now time.Time) bool {
	if c.token != t {
		return false
	}
	c.token = nil
	c.ignoreNew = t.rotated
	c.limiter.recordRejection(now.Sub(t.loginAt), answer)
	return true
}

// loginBlocked reports whether a login that may take loginTime has to wait, and why.
func (c *credential) loginBlocked(now time.Time, lifetime, loginTime time.Duration) (hmp.Answer, bool) {
	if c.retry {
		return hmp.Answer{}, false
	}
	if why, held := c.lockedOut(now); held {
		return why, true
	}
	if c.backoff.blocks(now, loginTime) {
		return c.backoff.answer, true
	}
	return c.limiter.blocks(now, lifetime)
}

func (c *credential) status(now time.Time, lifetime time.Duration) Status {
	_, suspended := c.lockedOut(now)
	if c.token != nil {
		return Status{TokenExpiry: c.token.expiresAt(lifetime), Suspended: suspended}
	}
	_, paced := c.limiter.blocks(now, lifetime)
	return Status{Suspended: suspended || paced}
}

// A token is a token that HMP issued. It does not change. Tokens are compared by address.
// Its lifetime is an argument, because a reload can change it.
type token struct {
	value   secret.Value
	loginAt time.Time // when its login began; a token from an answer keeps the login of the one before
	issued  time.Time // when HMP issued it, or a little earlier
	rotated bool      // it came in the answer to a GET, not to a login
	jitter  float64   // from 0 to 1, for renewAt
}

// newJitter keeps tokens that were issued together from being renewed together.
func newJitter() float64 { return rand.Float64() } //nolint:gosec // it spreads load, and guards nothing

// expiresAt returns when the token ends.
func (t *token) expiresAt(lifetime time.Duration) time.Time { return t.issued.Add(lifetime) }

// renewAt returns when to renew the token: early enough for scrapes that are minutes apart.
func (t *token) renewAt(lifetime time.Duration) time.Time {
	renewBefore := lifetime/10 + time.Duration(t.jitter*float64(lifetime/20))
	return t.expiresAt(lifetime).Add(-renewBefore)
}

// fresh reports whether there is a token that needs no renewal yet.
func (t *token) fresh(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.renewAt(lifetime))
}

// alive reports whether there is a token whose lifetime is not over.
func (t *token) alive(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.expiresAt(lifetime))
}
