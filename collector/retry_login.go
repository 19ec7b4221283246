package collector

import (
	"context"
	"errors"
)

// Errors of [Collector.RetryLogin], beside [ErrUnknownTarget] and [ErrUnknownSession].
var (
	ErrNoLogin  = errors.New("the session has no API key, so there is no login")
	ErrTooSoon  = errors.New("a login was tried at once less than a minute ago")
	errNotBuilt = errors.New("not there")
)

// RetryLogin lets the next probe of a session log in at once, although logins are
// suspended: a person has changed something in HMP. It allows that once a minute.
func (c *Collector) RetryLogin(_ context.Context, target, session string) error {
	if _, err := c.fleet.Load().find(target, session); err != nil {
		return err
	}
	return errNotBuilt
}
