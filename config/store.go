package config

import (
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the configuration in force and swaps it as a whole on reload. All
// methods can be called at any time from anywhere.
type Store struct {
	load  func() (*Config, error)
	apply func(*Config)

	reloading sync.Mutex // one reload at a time
	config    atomic.Pointer[Config]
	status    atomic.Pointer[status]
}

// status is how the last reload ended.
type status struct {
	successful  bool
	lastSuccess time.Time
}

// NewStore returns a Store that is empty until the first Reload. It gets its
// configurations from load, and hands each to apply before anybody else sees it.
func NewStore(load func() (*Config, error), apply func(*Config)) *Store {
	s := &Store{load: load, apply: apply}
	s.status.Store(new(status))
	return s
}

// Reload loads a configuration and puts it in force. On an error the old one stays.
func (s *Store) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()

	config, err := s.load()
	if err != nil {
		s.status.Store(&status{successful: false, lastSuccess: s.status.Load().lastSuccess})
		return err
	}
	s.apply(config)
	s.config.Store(config)
	s.status.Store(&status{successful: true, lastSuccess: time.Now()})
	return nil
}

// Config returns the configuration in force, nil before the first one has loaded.
func (s *Store) Config() *Config { return s.config.Load() }

// Status reports whether the last Reload succeeded, and when one last did.
func (s *Store) Status() (successful bool, lastSuccess time.Time) {
	status := s.status.Load()
	return status.successful, status.lastSuccess
}
