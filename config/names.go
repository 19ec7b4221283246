package config

import (
	"errors"
	"fmt"
	"strings"
)

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

// Select returns the sessions that go by these names: all without a target, and those
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

// mostNames bounds the names in an error.
const mostNames = 20

// known says which names there are, beginning with the one that was probably meant.
func known(name string, names []string) string {
	text := strings.Join(names[:min(len(names), mostNames)], ", ")
	if more := len(names) - mostNames; more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	text = "there is " + text
	if near := nearestName(name, names); near != "" {
		text = "did you mean " + near + "? " + text
	}
	return text
}

// nearestName returns the name that was probably meant, "" if none is near.
func nearestName(name string, names []string) string {
	if len(name) > maxName {
		return ""
	}
	best, bestDistance := "", 3
	for _, candidate := range names {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if d < bestDistance && d*2 < len(candidate) {
			best, bestDistance = candidate, d
		}
	}
	return best
}
