package token

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/internal/secret"
)

// A token is one that HMP handed out. It does not change, and two are the same only if
// they are at the same address. A configuration says how long it lives, and the next
// configuration may say otherwise.
type token struct {
	value   secret.Value
	loginAt time.Time // when the login began that it goes back to
	issued  time.Time // when HMP handed it out, or a little earlier
	rotated bool      // it came with the answer to a GET, and not from the login
	jitter  float64   // part of the leeway for its renewal
}

// spread keeps those apart that began together.
func newJitter() float64 { return rand.Float64() } //nolint:gosec // it spreads load, and guards nothing

// ends is when a token ends that lives so long.
func (t *token) expiresAt(lifetime time.Duration) time.Time { return t.issued.Add(lifetime) }

// due is when it is time for another one: early enough for scrapes that are
// minutes apart.
func (t *token) renewAt(lifetime time.Duration) time.Time {
	leeway := lifetime/10 + time.Duration(t.jitter*float64(lifetime/20))
	return t.expiresAt(lifetime).Add(-leeway)
}

// fresh tells whether there is a token and it needs no renewal yet.
func (t *token) fresh(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.renewAt(lifetime))
}

// alive tells whether there is a token that has not ended yet, as far as is known.
func (t *token) alive(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.expiresAt(lifetime))
}

// age is the time since the login. It asks the clock on the wall too, because the other
// one stands still while a machine is suspended.
func (t *token) age(now time.Time) time.Duration {
	return max(now.Sub(t.loginAt), now.Round(0).Sub(t.loginAt.Round(0)))
}

// A rotation learns whether to use the tokens that come with answers. At first the
// exporter supposes so. If HMP rejects one before it has accepted any, they are not
// used: such an HMP shows a token without meaning it. If HMP then rejects the token of a
// login, they are tried again: such an HMP may end a token with the next one.
type rotation struct {
	confirmed bool // HMP accepted one, and has rejected none since
	off       bool // they are not used
}

// accepted learns from a token that HMP accepted.
func (r *rotation) accepted(t *token) { r.confirmed = r.confirmed || t.rotated }

// rejected learns from a token that HMP did not accept.
func (r *rotation) rejected(t *token) {
	r.off = t.rotated && !r.confirmed
	r.confirmed = r.confirmed && !t.rotated
}
