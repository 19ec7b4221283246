package config

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Config is one validated configuration. It must not be changed.
type Config struct {
	Targets []*Target // in the order of the file, then of target_files; at least one unless those are set

	source      string // the main file as given to Load, or "environment"
	targetFiles int    // how many files target_files led to
	checks      []check
	warnings    Errors // what of it works and is unwise
	private     []private
	yaml        func() ([]byte, error)
}

// Target is one HMP and how to talk to it.
type Target struct {
	Name string

	// URL is the base URL: scheme, host and a path prefix without slash at its end.
	URL *url.URL

	Timeout       time.Duration // upper bound of one probe
	TokenLifetime time.Duration // how long HMP keeps a token that a login returned

	KeepAlive          bool  // keep connections from probe to probe
	EnableHTTP2        bool  // offer HTTP/2
	MaxBodySize        int64 // bytes of a response that are read at most
	ServiceMessageText bool  // export the texts of service messages

	// TLS is never nil. It is shared: clone it before changing it.
	TLS *tls.Config

	// Proxy and ProxyConnectHeader are for an http.Transport; nil means no proxy.
	Proxy              func(*http.Request) (*url.URL, error)
	ProxyConnectHeader http.Header

	Sessions []*Session // at least one

	headers []header
	places  places
}

// Format writes name and URL, for every verb: the struct as it is would show what
// ProxyConnectHeader holds, and that can be a password.
func (t Target) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "target %s (%s)", t.Name, t.URL) }

// Session is one login on a target: a token, or a key and secret to get one.
type Session struct {
	Name string

	Token             SecretSource // zero in key mode
	APIKey, APISecret SecretSource // zero in token mode
}

// KeyMode reports whether the session logs in with key and secret.
func (s *Session) KeyMode() bool { return s.Token.IsZero() }

// check reads one file as a probe would; at says where its name stands.
type check struct {
	at   Error
	file string
	read func() error
	hint func(error) string
}

// CheckSecrets reads every secret and header file as a probe would. Its error is
// of type [Errors].
//
// Load does not do this: a secret that is missing while the exporter starts can be
// there for the next probe.
func (c *Config) CheckSecrets() error {
	var errs Errors
	for _, check := range c.checks {
		if err := check.read(); err != nil {
			e := check.at
			e.Problem, e.Hint, e.cause = fmt.Sprintf("%s: %s", check.file, err), check.hint(err), err
			errs = append(errs, &e)
		}
	}
	return errs.orNil()
}

// YAML returns the running configuration: the targets of all files, with defaults
// filled in and every secret masked. Paths are as the process would open them.
func (c *Config) YAML() ([]byte, error) {
	text, err := c.yaml()
	return slices.Clone(text), err
}
