package collector

import (
	"context"
	"errors"
	"fmt"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// Errors about the names in a request.
var (
	ErrUnknownTarget  = errors.New("unknown target")
	ErrUnknownSession = errors.New("unknown session")
)

// A snapshot is the immutable state of one configuration.
type snapshot struct {
	sessions []*session // of all targets, in the order of the configuration
	byName   map[string]*target
}

// A client calls one HMP. It is an [hmp.Client], except in tests.
type client interface {
	GetSession(ctx context.Context, r hmp.SessionRequest) (hmp.Answer, secret.Value)
	Login(ctx context.Context, r hmp.LoginRequest) (hmp.Answer, secret.Value)
	Version(ctx context.Context, r hmp.SessionRequest) (hmp.Version, hmp.Answer)
	Close()
}

// A target is a configured target with its client and its limit.
type target struct {
	*config.Target
	client   client
	limiter  *targetLimiter
	version  *versionState // nil if the collector does not ask for versions
	sessions []*session
	byName   map[string]*session
}

// A session is a configured session with its state.
type session struct {
	*config.Session
	target *target
	state  *state
	// hasSecretFiles is true if the secrets are in files. Reading them can take long.
	hasSecretFiles bool
}

// newSnapshot returns a snapshot of a configuration. Sessions keep the state of their names
// in the snapshot before. Unchanged targets keep their client and its connections.
func (c *Collector) newSnapshot(cfg *config.Config, before *snapshot) *snapshot {
	n := &snapshot{byName: make(map[string]*target, len(cfg.Targets))}
	for _, configured := range cfg.Targets {
		t := &target{
			Target:  configured,
			limiter: c.limiter.target(configured.Name, configured.MaxConcurrent),
			byName:  make(map[string]*session, len(configured.Sessions)),
		}
		old := before.byName[t.Name]
		t.version = c.versionOf(t, old)
		if old != nil && old.Same(configured) {
			t.client = old.client
		} else {
			t.client = c.newClient(configured)
		}
		for _, configured := range configured.Sessions {
			s := &session{Session: configured, target: t, state: old.stateOf(configured.Name)}
			s.hasSecretFiles = s.Token.InFile() || s.APIKey.InFile() || s.APISecret.InFile() || t.HasHeaders() // of http_headers
			t.sessions = append(t.sessions, s)
			t.byName[s.Name] = s
		}
		n.byName[t.Name] = t
		n.sessions = append(n.sessions, t.sessions...)
	}
	return n
}

func (c *Collector) newClient(t *config.Target) *hmp.Client {
	o := hmp.Options{
		URL:                t.URL,
		TLS:                t.TLS,
		Address:            t.Address,
		Proxy:              t.Proxy,
		ProxyConnectHeader: t.ProxyConnectHeader,
		KeepAlive:          t.KeepAlive,
		HTTP2:              t.EnableHTTP2,
		MaxBodySize:        t.MaxBodySize,
		MessageTexts:       t.ServiceMessageText,
		UserAgent:          c.options.UserAgent,
		Dial:               c.dial,
	}
	if t.RootCAs != nil {
		o.RootCAs, o.CA = t.RootCAs.Pool, t.RootCAs.String()
	}
	return hmp.NewClient(o)
}

// stateOf returns the state of a session of t, or a new one. t may be nil.
func (t *target) stateOf(name string) *state {
	if t != nil && t.byName[name] != nil {
		return t.byName[name].state
	}
	return new(state)
}

// close closes the connections of targets that next does not use. next may be nil.
func (n *snapshot) close(next *snapshot) {
	for name, t := range n.byName {
		if next == nil || next.byName[name] == nil || next.byName[name].client != t.client {
			t.client.Close()
		}
	}
}

// sessionsOf returns the sessions that a request names: all if target is "", all of the
// target if name is "".
func (n *snapshot) sessionsOf(target, name string) ([]*session, error) {
	if target == "" {
		return n.sessions, nil
	}
	if t := n.byName[target]; t != nil && name == "" {
		return t.sessions, nil
	}
	s, err := n.session(target, name)
	return []*session{s}, err
}

// session returns one session.
func (n *snapshot) session(target, name string) (*session, error) {
	t := n.byName[target]
	if t == nil {
		return nil, fmt.Errorf("%w %.100q", ErrUnknownTarget, target)
	}
	s := t.byName[name]
	if s == nil {
		return nil, fmt.Errorf("%w %.100q of target %q", ErrUnknownSession, name, target)
	}
	return s, nil
}
