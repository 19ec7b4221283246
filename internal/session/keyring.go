package session

import (
	"crypto/sha256"
	"sync"
	"time"

	"hmp_exporter/config"
)

// A Keyring remembers what is known about API keys, for as long as the process
// lives. The zero value is ready for use, by many goroutines at once.
type Keyring struct {
	mu       sync.Mutex
	accounts map[accountID]*account
}

// An accountID is a digest of an HMP and a key, so that no key stands in a map.
type accountID [sha256.Size]byte

// LoginOptions say who logs in where.
type LoginOptions struct {
	// HMP is the base URL. A token is used there and nowhere else.
	HMP string
	// Key and Secret are read anew for every probe.
	Key, Secret config.SecretSource
	// Lifetime is how long HMP keeps a token.
	Lifetime time.Duration
}

// Login returns the source for a session that logs in. It takes the place of the
// one that the session had before, which may be nil, and goes on with its token if
// that is for the same HMP.
func (k *Keyring) Login(o LoginOptions, before *Login) *Login {
	l := &Login{options: o, keyring: k, holder: new(holder)}
	switch {
	case before == nil:
	case before.options.HMP == o.HMP:
		l.holder = before.holder
	default:
		k.Retire(before)
	}
	return l
}

// Retire leaves the token of l to any session to come with the same credential,
// for when the session of l is no longer configured. Probes under way go on.
func (k *Keyring) Retire(l *Login) {
	if t := l.retire(); t != nil {
		k.leaveSpare(l.options.HMP, t)
	}
}

// Tidy forgets what does not matter any more.
func (k *Keyring) Tidy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, a := range k.accounts {
		if a.users == 0 && a.idle(time.Now()) {
			delete(k.accounts, id)
		}
	}
}

func (k *Keyring) leaveSpare(hmp string, t *token) {
	a, release := k.account(hmp, t.from.key)
	defer release()
	a.leaveSpare(t)
}

// account returns the account of a key, which stays the one until it is released.
func (k *Keyring) account(hmp string, key config.Secret) (a *account, release func()) {
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
	}
}
