package collector

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/session"
)

// What can be wrong with the names of a [Request].
var (
	ErrUnknownTarget  = errors.New("unknown target")
	ErrUnknownSession = errors.New("unknown session")
)

// A fleet is one configuration, ready to be probed.
type fleet struct {
	targets  [][]*member           // of each target, in the order of the configuration
	byName   map[[2]string]*member // by target and session
	byTarget map[string][]*member
	clients  []*hmp.Client
}

// A member is one session of a fleet.
type member struct {
	target  *config.Target
	session *config.Session
	client  *hmp.Client
	source  session.Source
	room    room
	state   *state

	mu     sync.Mutex
	flight *flight // the probe under way
}

// newFleet makes a fleet whose sessions go on where those of the same name in the
// one before are.
func (c *Collector) newFleet(cfg *config.Config, before *fleet) *fleet {
	f := &fleet{
		byName:   make(map[[2]string]*member),
		byTarget: make(map[string][]*member, len(cfg.Targets)),
	}
	for _, t := range cfg.Targets {
		client := hmp.NewClient(hmp.Options{
			URL:                t.URL,
			TLS:                t.TLS,
			Proxy:              t.Proxy,
			ProxyConnectHeader: t.ProxyConnectHeader,
			KeepAlive:          t.KeepAlive,
			HTTP2:              t.EnableHTTP2,
			MaxBodySize:        t.MaxBodySize,
			MessageTexts:       t.ServiceMessageText,
			UserAgent:          c.userAgent,
			Dial:               c.dial,
		})
		f.clients = append(f.clients, client)
		room := c.roomOfTarget(len(cfg.Targets) == 1)
		members := make([]*member, 0, len(t.Sessions))
		for _, s := range t.Sessions {
			name := [2]string{t.Name, s.Name}
			m := &member{target: t, session: s, client: client, room: room, state: new(state)}
			old := before.byName[name]
			if old != nil {
				m.state = old.state
			}
			m.source = c.source(m, old)
			members = append(members, m)
			f.byName[name] = m
		}
		f.targets = append(f.targets, members)
		f.byTarget[t.Name] = members
	}
	return f
}

// source returns where the token of m comes from, which goes on with the one of
// the member before it, if there was one.
func (c *Collector) source(m, before *member) session.Source {
	if !m.session.KeyMode() {
		return session.Fixed{Token: m.session.Token}
	}
	return c.keyring.Login(session.LoginOptions{
		HMP:      canonical(m.target.URL),
		Key:      m.session.APIKey,
		Secret:   m.session.APISecret,
		Lifetime: m.target.TokenLifetime,
	}, before.login())
}

// login returns the source of m if that logs in, else nil.
func (m *member) login() *session.Login {
	if m == nil {
		return nil
	}
	l, _ := m.source.(*session.Login)
	return l
}

// retire leaves to the fleet that follows what its sessions do not go on with.
func (c *Collector) retire(f, next *fleet) {
	for name, m := range f.byName {
		if l := m.login(); l != nil && !next.byName[name].login().Continues(l) {
			c.keyring.Retire(l)
		}
	}
	c.keyring.Tidy()
}

// canonical writes a base URL so that two of one HMP look the same.
func canonical(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port) + u.EscapedPath()
}

// close lets go of the connections that the fleet keeps. Probes under way go on.
func (f *fleet) close() {
	for _, c := range f.clients {
		c.Close()
	}
}

// choose returns the members that a request names, of each target; all of them if it
// names none.
func (f *fleet) choose(target, name string) ([][]*member, error) {
	if target == "" {
		return f.targets, nil
	}
	if name == "" {
		members, err := f.of(target)
		return [][]*member{members}, err
	}
	m, err := f.find(target, name)
	return [][]*member{{m}}, err
}

// of returns the members of a target.
func (f *fleet) of(target string) ([]*member, error) {
	members, ok := f.byTarget[target]
	if !ok {
		return nil, fmt.Errorf("%w %.100q", ErrUnknownTarget, target)
	}
	return members, nil
}

// find returns the member of a session.
func (f *fleet) find(target, name string) (*member, error) {
	if _, err := f.of(target); err != nil {
		return nil, err
	}
	m, ok := f.byName[[2]string{target, name}]
	if !ok {
		return nil, fmt.Errorf("%w %.100q of target %q", ErrUnknownSession, name, target)
	}
	return m, nil
}
