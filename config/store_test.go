package config

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next *Config
		var failure error
		var store *Store
		store = NewStore(func() (*Config, error) { return next, failure }, func(c *Config) {
			if c != next || store.Config() == c {
				t.Error("apply does not come before the configuration is in force")
			}
		})
		check := func(config *Config, successful bool, lastSuccess time.Time) {
			t.Helper()
			if got := store.Config(); got != config {
				t.Errorf("Config = %p, want %p", got, config)
			}
			if ok, last := store.Status(); ok != successful || !last.Equal(lastSuccess) {
				t.Errorf("Status = %v, %v; want %v, %v", ok, last, successful, lastSuccess)
			}
		}

		check(nil, false, time.Time{})
		failure = errors.New("first")
		if err := store.Reload(); !errors.Is(err, failure) {
			t.Errorf("Reload = %v, want %v", err, failure)
		}
		check(nil, false, time.Time{})

		first := new(Config)
		next, failure = first, nil
		loaded := time.Now()
		if err := store.Reload(); err != nil {
			t.Fatal(err)
		}
		check(first, true, loaded)

		time.Sleep(time.Minute) // of the fake clock
		next, failure = nil, errors.New("second")
		if err := store.Reload(); !errors.Is(err, failure) {
			t.Errorf("Reload = %v, want %v", err, failure)
		}
		check(first, false, loaded)

		next, failure = new(Config), nil
		if err := store.Reload(); err != nil {
			t.Fatal(err)
		}
		check(next, true, loaded.Add(time.Minute))
	})
}

// TestStoreConcurrently is for the race detector, and proves that reloads queue up.
func TestStoreConcurrently(t *testing.T) {
	loads := 0 // not guarded: Reload guards it
	store := NewStore(func() (*Config, error) { loads++; return new(Config), nil }, func(*Config) { loads++ })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := store.Reload(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { store.Config(); store.Status() })
	}
	wg.Wait()
	if loads != 20 {
		t.Errorf("loads = %d, want 20", loads)
	}
}
