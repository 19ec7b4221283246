package collector

import (
	"errors"
	"fmt"
	"sync"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
)

// What can be wrong with the names of a [Request].
var (
	ErrUnknownTarget  = errors.New("unknown target")
	ErrUnknownSession = errors.New("unknown session")
)

// A fleet is one configuration, ready to be probed.
type fleet struct {
	members []*member // grouped by target
	targets map[string][]*member
	clients []*hmp.Client
}

// A member is one session of a fleet.
type member struct {
	target  *config.Target
	session *config.Session
	client  *hmp.Client
	state   *state

	mu     sync.Mutex
	flight *flight // the probe under way
}

// newFleet makes a fleet whose sessions go on with the states of those of the
// same name.
func newFleet(cfg *config.Config, states map[[2]string]*state, userAgent string, dial dialFunc) *fleet {
	f := &fleet{targets: make(map[string][]*member, len(cfg.Targets))}
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
			UserAgent:          userAgent,
			Dial:               dial,
		})
		f.clients = append(f.clients, client)
		first := len(f.members)
		for _, s := range t.Sessions {
			st := states[[2]string{t.Name, s.Name}]
			if st == nil {
				st = new(state)
			}
			f.members = append(f.members, &member{target: t, session: s, client: client, state: st})
		}
		f.targets[t.Name] = f.members[first:]
	}
	return f
}

// states returns the state of every session by target and name.
func (f *fleet) states() map[[2]string]*state {
	states := make(map[[2]string]*state, len(f.members))
	for _, m := range f.members {
		states[[2]string{m.target.Name, m.session.Name}] = m.state
	}
	return states
}

// close lets go of the connections that the fleet keeps. Probes under way go on.
func (f *fleet) close() {
	for _, c := range f.clients {
		c.Close()
	}
}

// choose returns the members that a request names; all of them if it names none.
func (f *fleet) choose(target, session string) ([]*member, error) {
	if target == "" {
		return f.members, nil
	}
	members, ok := f.targets[target]
	if !ok {
		return nil, fmt.Errorf("%w %.100q", ErrUnknownTarget, target)
	}
	if session == "" {
		return members, nil
	}
	for i, m := range members {
		if m.session.Name == session {
			return members[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("%w %.100q of target %q", ErrUnknownSession, session, target)
}
