package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"sync"
	"time"

	"hmp_exporter/internal/secret"
)

// Rule: one credential has one token. All sessions that use the credential share the
// token, the login under way, the back-off and the lock-out, and nothing of it
// belongs to a configuration.

// A Manager keeps the tokens of credentials for as long as the process lives. The
// zero value is ready. Many goroutines may use it at once.
type Manager struct {
	mu          sync.Mutex // guards everything below, and is never held during a call to HMP
	credentials map[digest]*credential
	keys        map[digest]*apiKey
	lastForget  time.Time
}

// A Credential is what a session logs in with.
type Credential struct {
	// HMP is the base URL in its canonical form. A token is used there and nowhere else.
	HMP string
	// Key and Secret are the API key and its secret.
	Key, Secret secret.Value
}

// A Request says what to probe.
type Request struct {
	Credential Credential
	// Lifetime is how long HMP keeps a token after its login.
	Lifetime time.Duration
	// MayLogin is false if the caller leaves too little time for a login. The probe
	// then uses a token that is there, and makes no login.
	MayLogin bool
}

// Status is how the logins of a credential stand.
type Status struct {
	// TokenExpiry is when the token ends as far as is known. It is zero without a token.
	TokenExpiry time.Time
	// Suspended is true while logins are held back after a rejection.
	Suspended bool
}

// ErrRetryTooSoon says that an operator asked for a login less than a minute ago.
var ErrRetryTooSoon = errors.New("the login of this key was tried on request less than a minute ago: wait a minute")

// retryInterval is the least time between two logins of a key that operators ask for.
const retryInterval = time.Minute

// Probe asks HMP whether the session is valid, until the deadline that ctx must have.
// It sends at most one login and two questions about the session.
func (m *Manager) Probe(ctx context.Context, r Request, h HMP) Report {
	deadline, _ := ctx.Deadline()
	p := &probe{manager: m, request: r, hmp: h, deadline: deadline, minCallTime: time.Until(deadline) / 4}
	m.mu.Lock()
	p.credential = m.find(r.Credential)
	m.mu.Unlock()

	p.run(ctx)
	p.report.Status = m.Status(r.Credential, r.Lifetime)
	return p.report
}

// Status tells how the logins of a credential stand, without a probe.
func (m *Manager) Status(c Credential, lifetime time.Duration) Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(c).status(time.Now(), lifetime)
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

// A digest stands for a secret in memory: it compares like the secret and cannot be
// turned back.
type digest [sha256.Size]byte

// find returns what is known about a credential.
func (m *Manager) find(of Credential) *credential {
	now := time.Now()
	m.forget(now)
	account := digest(sha256.Sum256([]byte(of.HMP + "\x00" + of.Key.Reveal())))
	id := digest(sha256.Sum256(append(account[:], of.Secret.Reveal()...)))
	c, ok := m.credentials[id]
	if !ok {
		c = &credential{key: m.apiKey(account)}
		m.credentials[id] = c
	}
	c.lastUsed, c.key.lastUsed = now, now
	return c
}

// account returns what is known about a key on an HMP.
func (m *Manager) apiKey(id digest) *apiKey {
	if m.keys == nil {
		m.credentials, m.keys = make(map[digest]*credential), make(map[digest]*apiKey)
	}
	a, ok := m.keys[id]
	if !ok {
		a = new(apiKey)
		m.keys[id] = a
	}
	return a
}

const (
	// remembered is how long a secret that HMP accepted, and its account, are
	// remembered after the last probe.
	rememberAccepted = 24 * time.Hour
	// rememberedOther is that for other secrets. Nothing holds logins back for longer.
	rememberOthers = time.Hour
)

// forget drops what nobody has used for long, at most once a minute. So a key file whose
// content changes often costs a bounded amount of memory.
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
