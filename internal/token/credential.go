package token

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A credentialState is the state of a [Credential]. The manager's lock guards it.
type credentialState struct {
	key   *keyState
	token *token // the current one, or nil
	// ignoreRotated is true while the exporter ignores new tokens in answers. It begins when
	// HMP rejects such a token. It ends when HMP rejects the token of a login: HMP may have
	// ended that token because it issued a new one.
	ignoreRotated bool
	rateLimiter   loginRateLimiter // of successful logins, if HMP ends their tokens early
	backoff       backoff          // after logins that HMP neither accepted nor refused
	refusal       refusal          // of the last login, if HMP refused the secret
	accepted      bool             // a login with the secret was valid; one that found no role does not count
	retry         bool             // an operator asked for a login at once
	lastUsed      time.Time
}

// A keyState is the state of an API key on one HMP, with any secret. The manager's lock
// guards it.
type keyState struct {
	loginDone      chan struct{} // nil unless a login is under way; closed when it has ended
	refused        refusedLogins // of the last hour, with any secret
	retryRequested time.Time     // when an operator last asked for a login
	lastUsed       time.Time
}

// setToken makes t the current token. It comes from a login that has just succeeded.
func (c *credentialState) setToken(t *token, now time.Time, lifetime time.Duration) {
	c.token, c.accepted = t, true
	c.backoff, c.refusal = backoff{}, refusal{}
	c.rateLimiter.recordLogin(now, lifetime)
}

// rotate makes the new token in an answer about t the current one. It does nothing if there is
// none, or if another token has replaced t.
func (c *credentialState) rotate(t *token, next secret.Value, begun time.Time) {
	if c.token == t && !next.IsZero() && !c.ignoreRotated {
		c.token = &token{value: next, loginAt: t.loginAt, rotated: true, issued: begun, jitter: newJitter()}
	}
}

// discard drops t, because HMP did not accept it. If another token has replaced t, it
// does nothing and returns false.
func (c *credentialState) discard(t *token, answer hmp.Answer, now time.Time) bool {
	if c.token != t {
		return false
	}
	c.token = nil
	c.ignoreRotated = t.rotated
	c.rateLimiter.recordRejection(now.Sub(t.loginAt), answer)
	return true
}

// loginBlocked reports whether a login that may take loginTime has to wait. A probe without a
// token then ends with the answer. After a login that timed out, one with much more time need
// not wait.
func (c *credentialState) loginBlocked(now time.Time, lifetime, loginTime time.Duration) (answer hmp.Answer, blocked bool) {
	if c.retry {
		return hmp.Answer{}, false
	}
	if answer, blocked = c.lockedOut(now); blocked {
		return answer, true
	}
	if c.backoff.blocks(now, loginTime) {
		return c.backoff.answer, true
	}
	return c.rateLimiter.blocks(now, lifetime)
}

// repeatable returns the part of an answer to a login that later probes without a token
// repeat. Details of the exchange are left out.
func repeatable(a hmp.Answer) hmp.Answer {
	return hmp.Answer{Result: a.Result, Code: a.Code, Reason: a.Reason}
}

func (c *credentialState) status(now time.Time, lifetime time.Duration) Status {
	_, lockedOut := c.lockedOut(now)
	if c.token != nil {
		return Status{TokenExpiry: c.token.expiresAt(lifetime), Suspended: lockedOut}
	}
	_, rateLimited := c.rateLimiter.blocks(now, lifetime)
	return Status{Suspended: lockedOut || rateLimited}
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
