package config

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var next, applied *Config
		var failure error
		store := NewStore(func() (*Config, error) { return next, failure }, func(c *Config) { applied = c })
		first, second := new(Config), new(Config)
		for i, step := range []struct {
			load    *Config
			failure error
			want    *Config
			last    time.Duration // of the last success
		}{
			{nil, errors.New("first"), nil, -1},
			{first, nil, first, time.Minute},
			{nil, errors.New("second"), first, time.Minute},
			{second, nil, second, 3 * time.Minute},
		} {
			next, failure = step.load, step.failure
			if err := store.Reload(); !errors.Is(err, step.failure) {
				t.Errorf("Reload = %v, want %v", err, step.failure)
			}
			ok, last := store.Status()
			if store.Config() != step.want || applied != step.want || ok != (step.failure == nil) || step.last < 0 && !last.IsZero() || step.last >= 0 && last.Sub(start) != step.last {
				t.Errorf("step %d: %v, applied %v, status %v, %v", i, store.Config(), applied, ok, last)
			}
			time.Sleep(time.Minute) // of the fake clock
		}
	})
}

// TestStoreReloadsOneAtATime: reloads at once run one after the other, and the configuration is
// the old one until the new one is applied.
func TestStoreReloadsOneAtATime(t *testing.T) {
	var store *Store
	var running atomic.Int64
	var applied atomic.Pointer[Config]
	store = NewStore(
		func() (*Config, error) {
			if running.Add(1) > 1 {
				t.Error("two reloads run at once")
			}
			runtime.Gosched()
			return new(Config), nil
		},
		func(c *Config) {
			before := applied.Swap(c)
			if store.Config() != before {
				t.Error("a configuration is current before it is applied")
			}
			running.Add(-1)
		})
	var reloads sync.WaitGroup
	for range 1000 {
		reloads.Go(func() { _ = store.Reload() })
	}
	reloads.Wait()
	if store.Config() != applied.Load() {
		t.Error("the current configuration is not the one that was applied last")
	}
}
