package session

import (
	"context"
	"time"

	"hmp_exporter/config"
)

// A Login is the [Source] of a session that logs in with an API key. A [Keyring]
// makes it.
type Login struct {
	options LoginOptions
	keyring *Keyring
	holder  *holder
}

// LoginOptions say who logs in where.
type LoginOptions struct {
	// HMP is the base URL. A token is used there and nowhere else.
	HMP string
	// Key and Secret are read anew for every probe.
	Key, Secret config.SecretSource
	// Lifetime is how long HMP keeps a token.
	Lifetime time.Duration
}

// Status implements [Source].
func (l *Login) Status() (Status, bool) {
	return l.holder.status(time.Now(), l.options.Lifetime), true
}

// Continues tells whether l goes on with the token of another one.
func (l *Login) Continues(before *Login) bool { return l != nil && l.holder == before.holder }

// credential reads the key and its secret.
func (l *Login) credential(ctx context.Context) (from pair, err error) {
	if from.key, err = l.options.Key.Read(ctx); err != nil {
		return pair{}, err
	}
	from.secret, err = l.options.Secret.Read(ctx)
	return from, err
}
