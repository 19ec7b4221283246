package config

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultFile is the configuration file where none is named.
const DefaultFile = "hmp.yml"

// Read loads what a flag and the environment choose: the file, which is [DefaultFile]
// if none was named, or what [FromEnvironment] makes. Two configurations are an error.
func Read(file string, getenv func(string) string) (*Config, error) {
	return read(context.Background(), file, getenv)
}

func read(ctx context.Context, file string, getenv func(string) string) (*Config, error) {
	named := cmp.Or(file, DefaultFile)
	if !InEnvironment(getenv) {
		return loadFile(ctx, named)
	}
	if _, err := os.Stat(named); file != "" || err == nil {
		return nil, fmt.Errorf("there are two configurations, %s and HMP_ variables in the environment: take one away", named)
	}
	return fromEnvironment(ctx, getenv)
}

// Config is one validated configuration. It must not be changed.
type Config struct {
	Targets []*Target // in the order of the file, then of target_files; at least one unless those are set

	source      string // the main file as given to Load, or "environment"
	targetFiles int    // how many files target_files led to
	warnings    Errors // what of it works and is unwise
	unwatched   Errors // warnings, too
	secretFiles []secretFile
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

	// Fingerprint is the same for two targets if and only if all of the above, but the
	// name, and the headers are configured the same. It depends on secrets: never show it.
	Fingerprint [32]byte

	Sessions []*Session // at least one

	headers []header
	places  places
}

// Format writes name and URL, for every verb: the struct as it is would show what
// ProxyConnectHeader holds, and that can be a password.
func (t Target) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "target %s (%s)", t.Name, t.URL) }

// logsIn reports whether a session of the target does.
func (t *Target) logsIn() bool { return slices.ContainsFunc(t.Sessions, (*Session).KeyMode) }

// Session is one login on a target: a token, or a key and secret to get one.
type Session struct {
	Name string

	Token             SecretSource // zero in key mode
	APIKey, APISecret SecretSource // zero in token mode

	// Fingerprint is the same for two sessions if and only if their targets'
	// fingerprints are, and they have the same credential. Never show it.
	Fingerprint [32]byte
}

// Format writes name and credential, for every verb, and not the fingerprint.
func (s Session) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "session %s (%s)", s.Name, s.Credential())
}

// KeyMode reports whether the session logs in with key and secret.
func (s *Session) KeyMode() bool { return s.Token.IsZero() }

// Credential says where all secrets of the session come from, and not what they are.
func (s *Session) Credential() string {
	if s.KeyMode() {
		return s.APIKey.String() + ", " + s.APISecret.String()
	}
	return s.Token.String()
}

// secretFile is a file that only the exporter should be able to read.
type secretFile struct {
	at   Error // where its name stands
	file string
	read func(context.Context) (short bool, _ error) // as a probe would; nil if no probe reads it like this
	hint func(error) string                          // for an error of read
}

// problem is one of the file.
func (f secretFile) problem(problem, hint string) *Error {
	f.at.Problem, f.at.Hint = f.file+": "+problem, hint
	return &f.at
}

// CheckSecrets reads every secret and header file as a probe would. Its error is
// of type [Errors].
//
// Load does not do this: a secret that is missing while the exporter starts can be
// there for the next probe.
func (c *Config) CheckSecrets() error {
	var errs Errors
	for i, r := range c.readSecrets() {
		if r.err != nil {
			f := c.secretFiles[i]
			e := f.problem(r.err.Error(), f.hint(r.err))
			e.cause = r.err
			errs = append(errs, e)
		}
	}
	return errs.orNil()
}

// readResult is what was read of a secretFile.
type readResult struct {
	short bool // a secret of a few characters
	err   error
}

// readSecrets reads all files at once, so that a disk that hangs costs its time once.
func (c *Config) readSecrets() []readResult {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	results := make([]readResult, len(c.secretFiles))
	var wg sync.WaitGroup
	for i, f := range c.secretFiles {
		if f.read != nil {
			wg.Go(func() { results[i].short, results[i].err = f.read(ctx) })
		}
	}
	wg.Wait()
	return results
}

// YAML returns the running configuration: the targets of all files, with defaults
// filled in and every secret masked. Paths are as the process would open them.
func (c *Config) YAML() ([]byte, error) {
	text, err := c.yaml()
	return slices.Clone(text), err
}

// Summary says in half a line where a configuration comes from and how much it is, such
// as "hmp.yml and 1 target file: 2 targets, 3 sessions".
func (c *Config) Summary() string {
	source := c.source
	if c.targetFiles > 0 {
		source += " and " + plural(c.targetFiles, "target file")
	}
	return source + ": " + plural(len(c.Targets), "target") + ", " + plural(c.Sessions(), "session")
}

// Source returns the main file as it was named, or "environment".
func (c *Config) Source() string { return c.source }

// Sessions returns how many sessions there are.
func (c *Config) Sessions() (n int) {
	for _, t := range c.Targets {
		n += len(t.Sessions)
	}
	return n
}

// Unwatched lists patterns that match no file, and says if there is no target at all. It
// is a part of [Config.Warnings].
func (c *Config) Unwatched() Errors { return c.unwatched }

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// What can be wrong with the names for [Config.Select].
var (
	ErrUnknownTarget  = errors.New("unknown target")
	ErrUnknownSession = errors.New("unknown session")
	ErrNothing        = errors.New("no session is configured: see target_files")
)

// A Selected is a session with its target.
type Selected struct {
	Target  *Target
	Session *Session
}

// Select returns the sessions with these names: all without a target, and all
// of the target without a session. Its error wraps one of those above, and says which
// names there are.
func (c *Config) Select(target, session string) ([]Selected, error) {
	var selected []Selected
	var targets, sessions []string
	for _, t := range c.Targets {
		targets = append(targets, t.Name)
		if target != "" && t.Name != target {
			continue
		}
		for _, s := range t.Sessions {
			sessions = append(sessions, s.Name)
			if session == "" || s.Name == session {
				selected = append(selected, Selected{t, s})
			}
		}
	}
	switch {
	case len(selected) > 0:
		return selected, nil
	case len(targets) == 0:
		return nil, ErrNothing
	case len(sessions) == 0:
		return nil, fmt.Errorf("%w %.100q; %s", ErrUnknownTarget, target, known(target, targets))
	default:
		return nil, fmt.Errorf("%w %.100q of target %s; %s", ErrUnknownSession, session, target, known(session, sessions))
	}
}

// known says which names there are, at most 20, and which one was probably meant.
func known(name string, names []string) string {
	const most = 20
	text := "there is " + strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	if near := nearest(name, names); near != "" {
		text = "did you mean " + near + "? " + text
	}
	return text
}
