package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"sync"
	"time"

	"hmp_exporter/internal/secret"
)

// Rule: one credential has one token. All sessions that use the credential share the
// token, the login under way, the back-off and the lock-out. A reload changes none of it.

// A Manager keeps the tokens of credentials while the process runs. The zero value is
// ready. It is safe for concurrent use.
type Manager struct {
	mu          sync.Mutex // guards everything below, and is never held during a call to HMP
	credentials map[digest]*credential
	keys        map[digest]*apiKey
	lastForget  time.Time
}

// A Credential is an HMP, an API key and its secret.
type Credential struct {
	// HMP is the base URL in its canonical form. A token is sent to no other URL.
	HMP         string
	Key, Secret secret.Value
}

// A Request says what to probe.
type Request struct {
	Credential Credential
	// Lifetime is how long HMP keeps a token after its login.
	Lifetime time.Duration
	// MayLogin is false if the caller leaves too little time for a login. The probe
	// then uses the current token, if there is one, and sends no login.
	MayLogin bool
}

// Status is the state of a credential's token and logins.
type Status struct {
	// TokenExpiry is when the token ends by the configured lifetime, zero without a token.
	TokenExpiry time.Time
	// Suspended is true while logins wait because HMP refused the key, found no role, or
	// ended tokens early. Other failures of a login do not count.
	Suspended bool
}

// ErrRetryTooSoon means that an operator asked for a login less than a minute ago.
var ErrRetryTooSoon = errors.New("the login of this key was tried on request less than a minute ago: wait a minute")

// retryInterval is the minimum time between two logins of a key that operators ask for.
const retryInterval = time.Minute

// Probe asks HMP whether the session is valid. ctx must have a deadline. It sends at most
// one login and two session requests.
func (m *Manager) Probe(ctx context.Context, r Request, h HMP) *Report {
	deadline, _ := ctx.Deadline()
	p := &probe{manager: m, request: r, hmp: h, deadline: deadline, minCallTime: time.Until(deadline) / 4}
	m.mu.Lock()
	p.credential = m.find(r.Credential)
	m.mu.Unlock()

	p.run(ctx)

	m.mu.Lock()
	defer m.mu.Unlock()
	p.report.Status = p.credential.status(time.Now(), r.Lifetime)
	return &p.report
}

// RetryLogin lets the next probe log in at once, whatever holds logins back. It
// returns [ErrRetryTooSoon] if it was called for the same key less than a minute ago.
func (m *Manager) RetryLogin(c Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, now := m.find(c), time.Now()
	if last := known.key.retryRequested; !last.IsZero() && now.Sub(last) < retryInterval {
		return ErrRetryTooSoon
	}
	known.key.retryRequested, known.retry = now, true
	return nil
}

// A digest identifies a secret. The secret cannot be computed from it.
type digest [sha256.Size]byte

// find returns the state of a credential.
func (m *Manager) find(of Credential) *credential {
	now := time.Now()
	m.forget(now)
	account := digest(sha256.Sum256([]byte(of.HMP + "\x00" + of.Key.Reveal())))
	id := digest(sha256.Sum256(append(account[:], of.Secret.Reveal()...)))
	if m.keys == nil {
		m.credentials, m.keys = make(map[digest]*credential), make(map[digest]*apiKey)
	}
	c := m.credentials[id]
	if c == nil {
		c = &credential{key: cmp.Or(m.keys[account], new(apiKey))}
		m.credentials[id], m.keys[account] = c, c.key
	}
	c.lastUsed, c.key.lastUsed = now, now
	return c
}

const (
	// rememberAccepted is how long the manager keeps API keys, and secrets that HMP
	// accepted, after the last probe.
	rememberAccepted = 24 * time.Hour
	// rememberOthers is the same for other secrets. No delay of a login is longer.
	rememberOthers = time.Hour
)

// forget drops unused credentials and keys, at most once a minute. So memory stays bounded
// even if the content of a key file changes often.
func (m *Manager) forget(now time.Time) {
	if now.Sub(m.lastForget) < time.Minute {
		return
	}
	m.lastForget = now
	maps.DeleteFunc(m.credentials, func(_ digest, c *credential) bool {
		unused := now.Sub(c.lastUsed)
		return unused > rememberAccepted || unused > rememberOthers && !c.accepted
	})
	maps.DeleteFunc(m.keys, func(_ digest, a *apiKey) bool { return now.Sub(a.lastUsed) > rememberAccepted })
}
