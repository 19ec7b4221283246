package token

import (
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A credential is the state of a [Credential]. The manager's lock guards it.
type credential struct {
	key      *apiKey
	token    *token // the current one, or nil
	rotation rotation
	limiter  loginLimiter
	backoff  backoff
	refusal  refusal
	accepted bool // HMP accepted the secret in a login, and has not refused it since
	retry    bool // an operator asked for a login at once
	lastUsed time.Time
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
	c.rotation.accepted(t)
	if !next.IsZero() && !c.rotation.off {
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
	c.rotation.rejected(t)
	c.limiter.recordRejection(t.age(now), answer)
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
