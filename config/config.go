// Package config turns a YAML file, or a few environment variables, into one validated and
// immutable [Config]. A target is one Haivision Media Platform: a base URL and its
// connection settings. A session is a token, or an API key and secret with which the
// exporter logs in. The file reference.yml has every field.
//
// [Source.Load] goes one way, document by document (load.go). It parses the YAML (parse.go),
// decodes it into raw structs (decode.go, raw.go), and makes valid [Target] and [Session] values
// from these (validate.go). No other package validates a configuration again. [Source.Check]
// also gives advice, for the command check (check.go).
//
// No step stops at the first problem. Each problem is an [Error] with file, line, field,
// what is wrong and what to do. An error shows valid names and paths of files, and no other
// value, because a value in the wrong field may be a secret.
//
// A [SecretSource] says where a secret comes from. Every probe reads secret files again, so
// a rotated token needs no reload. Secrets print as <secret>, also in [Config.YAML].
//
// A [Store] holds the current configuration and replaces it as a whole.
package config

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Config is one validated configuration. Do not change it.
type Config struct {
	Targets []*Target // in the order of the file, then of target_files

	// LoadWarnings are warnings about patterns that match no file, and about a
	// configuration without targets.
	LoadWarnings Errors

	File        string // the main file as given, or "environment"
	TargetFiles int    // how many files target_files led to

	yaml func() ([]byte, error)
}

// Target is one HMP and how to talk to it.
type Target struct {
	Name               string
	URL                *url.URL      // scheme, host and a path prefix without slash at its end
	Address            string        // host and port to connect to in place of the URL's; "" for those
	Timeout            time.Duration // upper bound of one probe
	TokenLifetime      time.Duration // how long HMP keeps a token that a login returned
	MaxConcurrent      int           // at most so many probes at once; 0 for as many as the HMP answers
	Labels             labels        // for Prometheus
	KeepAlive          bool          // keep connections from probe to probe
	EnableHTTP2        bool          // offer HTTP/2
	MaxBodySize        int64         // bytes of a response that are read at most
	ServiceMessageText bool          // export the texts of service messages
	TLS                *tls.Config   // never nil, and shared: clone it before changing it
	RootCAs            *RootCAs      // what TLS trusts in place of the system's certificates; nil for those
	Sessions           []*Session    // at least one

	// Proxy and ProxyConnectHeader are for an http.Transport. If Proxy is nil there is no proxy.
	Proxy              func(*http.Request) (*url.URL, error)
	ProxyConnectHeader http.Header

	raw     *rawTarget // with its defaults
	headers []header
}

// Same reports whether the exporter probes two targets in the same way. It does not compare
// names, labels, max_concurrent and sessions.
func (t *Target) Same(other *Target) bool {
	if t == other {
		return true
	}
	a, b := *t.raw, *other.raw
	for _, raw := range []*rawTarget{&a, &b} {
		raw.Name, raw.MaxConcurrent, raw.Labels, raw.Sessions = "", 0, nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// HasHeaders reports whether the target has http_headers. They can be in files.
func (t *Target) HasHeaders() bool { return len(t.headers) > 0 }

// Format writes name and URL for every verb, because ProxyConnectHeader can hold a password.
func (t Target) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "target %s (%s)", t.Name, t.URL) }

// labels are the labels of a target, by name.
type labels map[string]string

// String returns the labels in the form "site=berlin, team=video".
func (l labels) String() string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		texts = append(texts, name+"="+l[name])
	}
	return strings.Join(texts, ", ")
}

// Session is one session of a target: a token, or an API key and secret to log in with.
type Session struct {
	Name string

	Token             SecretSource // zero in key mode
	APIKey, APISecret SecretSource // zero in token mode

	target *Target
	raw    *rawSession
}

// Same reports whether two sessions have the same credential and the same kind of target.
func (s *Session) Same(other *Session) bool {
	if s == other {
		return true
	}
	a, b := *s.raw, *other.raw
	a.Name, b.Name = "", ""
	return s.target.Same(other.target) && reflect.DeepEqual(a, b)
}

// Format writes name and credential sources for every verb.
func (s Session) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "session %s (%s)", s.Name, s.Credential())
}

// KeyMode reports whether the session logs in with key and secret.
func (s *Session) KeyMode() bool { return s.Token.IsZero() }

// Credential returns where the secrets of the session come from. It has no secret.
func (s *Session) Credential() string {
	if s.KeyMode() {
		return s.APIKey.String() + ", " + s.APISecret.String()
	}
	return s.Token.String()
}

// YAML returns the targets of all files, with defaults and masked secrets. Paths are as the
// process opens them. Do not change the bytes.
func (c *Config) YAML() ([]byte, error) { return c.yaml() }

// Sessions returns the number of sessions.
func (c *Config) Sessions() (n int) {
	for _, t := range c.Targets {
		n += len(t.Sessions)
	}
	return n
}
