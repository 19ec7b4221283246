package collector

import (
	"context"
	"errors"

	"hmp_exporter/internal/token"
)

// Errors of [Collector.RetryLogin].
var (
	ErrNoLogin = errors.New("the session has no API key, so it has no login")
	ErrTooSoon = token.ErrRetryTooSoon
)

// RetryLogin makes the next probe of a session log in at once, even while logins are
// suspended. The probe must have time for it, and the session no fresh token of an accepted secret. It is for a person who has changed something in HMP. The error is
// [ErrNoLogin], [ErrTooSoon], an error of [Collector.Probe], or of reading the API key.
func (c *Collector) RetryLogin(ctx context.Context, target, session string) error {
	s, err := c.snapshot.Load().session(target, session)
	if err != nil {
		return err
	}
	if !s.KeyMode() {
		return ErrNoLogin
	}
	secrets, err := s.readSecrets(ctx)
	if err != nil {
		return err
	}
	if err := c.tokens.RetryLogin(s.credential(secrets)); err != nil {
		return err
	}
	s.state.mu.Lock()
	s.state.probe = nil // a probe under way may have decided already not to log in
	s.state.mu.Unlock()
	return nil
}
