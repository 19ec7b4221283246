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

// A Manager keeps the state of credentials and API keys while the process runs. A reload of
// the configuration does not change it. The zero value is ready. It is safe for concurrent
// use.
type Manager struct {
	mu          sync.Mutex // guards everything below, and is never held during a call to HMP
	credentials map[digest]*credentialState
	keys        map[digest]*keyState
	lastForget  time.Time
}

// A Credential is an HMP, an API key and its secret.
type Credential struct {
	// BaseURL is the base URL of the HMP in its canonical form. A token is sent to no other
	// HMP.
	BaseURL     string
	Key, Secret secret.Value
}

// A ProbeRequest says what to probe.
type ProbeRequest struct {
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
func (m *Manager) Probe(ctx context.Context, r ProbeRequest, h HMP) *Report {
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

// RetryLogin lets the next probe log in at once, whatever delays logins. It
// returns [ErrRetryTooSoon] if it was called for the same key less than a minute ago.
func (m *Manager) RetryLogin(c Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	state, now := m.find(c), time.Now()
	if last := state.key.retryRequested; !last.IsZero() && now.Sub(last) < retryInterval {
		return ErrRetryTooSoon
	}
	state.key.retryRequested, state.retry = now, true
	return nil
}

// A digest identifies a credential or a key. The secret cannot be computed from it.
type digest [sha256.Size]byte

// find returns the state of a credential, a new one if there is none.
func (m *Manager) find(c Credential) *credentialState {
	now := time.Now()
	m.forget(now)
	keyID := digest(sha256.Sum256([]byte(c.BaseURL + "\x00" + c.Key.Reveal())))
	id := digest(sha256.Sum256(append(keyID[:], c.Secret.Reveal()...)))
	if m.keys == nil {
		m.credentials, m.keys = make(map[digest]*credentialState), make(map[digest]*keyState)
	}
	state := m.credentials[id]
	if state == nil {
		state = &credentialState{key: cmp.Or(m.keys[keyID], new(keyState))}
		m.credentials[id], m.keys[keyID] = state, state.key
	}
	state.lastUsed, state.key.lastUsed = now, now
	return state
}

const (
	// rememberAccepted is how long the manager keeps API keys, and secrets that HMP
	// accepted, after the last probe.
	rememberAccepted = 24 * time.Hour
	// rememberOthers is the same for other secrets. Nothing delays a login for longer.
	rememberOthers = time.Hour
)

// forget drops unused credentials and keys, at most once a minute. So memory stays bounded
// even if the content of a key file changes often.
func (m *Manager) forget(now time.Time) {
	if now.Sub(m.lastForget) < time.Minute {
		return
	}
	m.lastForget = now
	maps.DeleteFunc(m.credentials, func(_ digest, c *credentialState) bool {
		unused := now.Sub(c.lastUsed)
		return unused > rememberAccepted || unused > rememberOthers && !c.accepted
	})
	maps.DeleteFunc(m.keys, func(_ digest, k *keyState) bool { return now.Sub(k.lastUsed) > rememberAccepted })
}
