package session

import (
	"hmp_exporter/internal/secret"
	"math/rand/v2"
	"time"
)

// A pair is an API key and its secret.
type pair struct{ key, secret secret.Value }

func (p pair) equal(other pair) bool {
	return p.key.Equal(other.key) && p.secret.Equal(other.secret)
}

// A token is one that HMP handed out. It does not change: its successor is
// another one, and two are the same only if they are at the same address. How long
// it lives is not its own: a configuration says it, and the next one may differ.
type token struct {
	value   secret.Value
	from    pair      // what the login was made with
	login   time.Time // when that was
	adopted bool      // it came with the answer to a GET, and not from the login
	begun   time.Time // when HMP handed it out, or a little earlier
	spread  float64   // part of the leeway for its renewal
}

// newToken makes a token of a login.
func newToken(value secret.Value, from pair, begun time.Time) *token {
	return &token{value: value, from: from, login: begun, begun: begun, spread: spread()}
}

// successor is the token that came with an answer to t.
func (t *token) successor(value secret.Value, begun time.Time) *token {
	return &token{value: value, from: t.from, login: t.login, adopted: true, begun: begun, spread: spread()}
}

// spread keeps those apart that began together.
func spread() float64 { return rand.Float64() } //nolint:gosec // it spreads load, and guards nothing

// of returns t if the login for it was made with a credential, and nil if not:
// then t says nothing about that one.
func (t *token) of(credential pair) *token {
	if t == nil || !t.from.equal(credential) {
		return nil
	}
	return t
}

// ends is when a token ends that lives so long.
func (t *token) ends(lifetime time.Duration) time.Time { return t.begun.Add(lifetime) }

// due is when it is time for another one: early enough for scrapes that are
// minutes apart.
func (t *token) due(lifetime time.Duration) time.Time {
	leeway := lifetime/10 + time.Duration(t.spread*float64(lifetime/20))
	return t.ends(lifetime).Add(-leeway)
}

// fresh tells whether t can be used without a thought of renewal.
func (t *token) fresh(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.due(lifetime))
}

// alive tells whether t has not ended yet, as far as is known.
func (t *token) alive(now time.Time, lifetime time.Duration) bool {
	return t != nil && now.Before(t.ends(lifetime))
}

// young tells whether t goes back to a login that is so recent that a rejection
// cannot be a matter of age. The clock on the wall has a say in it too: the other one
// stands still while a machine is suspended.
func (t *token) young(now time.Time, lifetime time.Duration) bool {
	age := max(now.Sub(t.login), now.Round(0).Sub(t.login.Round(0)))
	return age < min(time.Minute, lifetime/4)
}
