package session

import (
	"math/rand/v2"
	"time"

	"hmp_exporter/config"
)

// A pair is an API key and its secret.
type pair struct{ key, secret config.Secret }

func (p pair) equal(other pair) bool {
	return p.key.Equal(other.key) && p.secret.Equal(other.secret)
}

// A token is one that HMP handed out. It does not change: its successor is
// another one, and two are the same only if they are at the same address.
type token struct {
	value    config.Secret
	from     pair      // what the login was made with
	login    time.Time // when that was
	adopted  bool      // it came with the answer to a GET, and not from the login
	lifetime time.Duration
	renew    time.Time // when it is time for another
	ends     time.Time
}

// newToken makes a token of a lifetime that began at the time of its request.
func newToken(value config.Secret, from pair, begun time.Time, lifetime time.Duration) *token {
	t := &token{value: value, from: from, login: begun, lifetime: lifetime}
	t.begin(begun)
	return t
}

// successor is the token that came with an answer to t.
func (t *token) successor(value config.Secret, begun time.Time) *token {
	next := *t
	next.value, next.adopted = value, true
	next.begin(begun)
	return &next
}

// begin sets when the token has to be renewed: early enough for scrapes that are
// minutes apart, and not at the same moment as all that began together.
func (t *token) begin(begun time.Time) {
	t.ends = begun.Add(t.lifetime)
	jitter := rand.N(t.lifetime/20 + 1) //nolint:gosec // it spreads load, and guards nothing
	t.renew = t.ends.Add(-t.lifetime/10 - jitter)
}

// fresh tells whether t can be used without a thought of renewal.
func (t *token) fresh(now time.Time) bool { return t != nil && now.Before(t.renew) }

// alive tells whether t has not ended yet, as far as is known.
func (t *token) alive(now time.Time) bool { return t != nil && now.Before(t.ends) }

// young tells whether t goes back to a login that is so recent that a rejection
// cannot be a matter of age.
func (t *token) young(now time.Time) bool {
	return now.Sub(t.login) < min(2*time.Minute, t.lifetime/4)
}
