package config

import (
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the current configuration and replaces it as a whole on reload.
type Store struct {
	load      func() (*Config, error)
	apply     func(*Config)
	reloading sync.Mutex // one reload at a time
	state     atomic.Pointer[state]
}

type state struct {
	config      *Config
	successful  bool
	lastSuccess time.Time
}

// NewStore returns a Store that is empty until the first Reload. It calls load for a
// configuration, and then apply before others can see the configuration.
func NewStore(load func() (*Config, error), apply func(*Config)) *Store {
	s := &Store{load: load, apply: apply}
	s.state.Store(new(state))
	return s
}

// Reload loads a configuration and makes it current. On an error the old one stays.
func (s *Store) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	config, err := s.load()
	if err != nil {
		before := s.state.Load()
		s.state.Store(&state{before.config, false, before.lastSuccess})
		return err
	}
	s.apply(config)
	s.state.Store(&state{config, true, time.Now()})
	return nil
}

// Config returns the current configuration, nil before the first successful Reload.
func (s *Store) Config() *Config { return s.state.Load().config }

// Status returns whether the last Reload succeeded, and the time of the last success.
func (s *Store) Status() (successful bool, lastSuccess time.Time) {
	state := s.state.Load()
	return state.successful, state.lastSuccess
}
