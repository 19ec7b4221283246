package session

import (
	"crypto/sha256"
	"hmp_exporter/internal/secret"
	"sync"
	"time"
)

// A Keyring remembers what is known about API keys, for as long as the process
// lives. The zero value is ready for use, by many goroutines at once.
type Keyring struct {
	mu       sync.Mutex
	accounts map[accountID]*account
}

// An accountID is a digest of an HMP and a key: it compares like them, and can be printed.
type accountID [sha256.Size]byte

// Login returns the source for a session that logs in. It goes on with the token
// of the one that the session had before, which may be nil, if that is for the
// same HMP.
func (k *Keyring) Login(o LoginOptions, before *Login) *Login {
	l := &Login{options: o, keyring: k, holder: new(holder)}
	if before != nil && before.options.HMP == o.HMP {
		l.holder = before.holder
	}
	return l
}

// Retire leaves the token of l to any session to come with the same credential,
// for when nothing that is configured continues l. Probes under way go on.
func (k *Keyring) Retire(l *Login) {
	t := l.holder.retire()
	if t == nil {
		return
	}
	a, release := k.account(l.options.HMP, t.from.key)
	defer release()
	a.leaveSpare(t, l.options.Lifetime)
}

// Tidy forgets what does not matter any more.
func (k *Keyring) Tidy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, a := range k.accounts {
		k.tidy(id, a)
	}
}

// tidy forgets an account that nobody uses and that has nothing to remember.
func (k *Keyring) tidy(id accountID, a *account) {
	if a.users == 0 && a.idle(time.Now()) {
		delete(k.accounts, id)
	}
}

// account returns the account of a key, which stays the one until it is released.
func (k *Keyring) account(hmp string, key secret.Value) (a *account, release func()) {
	id := accountID(sha256.Sum256([]byte(hmp + "\x00" + key.Reveal())))
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.accounts[id]
	if !ok {
		a = newAccount()
		if k.accounts == nil {
			k.accounts = make(map[accountID]*account)
		}
		k.accounts[id] = a
	}
	a.users++
	return a, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		a.users--
		k.tidy(id, a)
	}
}
