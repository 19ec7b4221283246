package main

import (
	"context"
	"os"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/config"
)

// A reloader loads the configuration: at the start, at SIGHUP, at POST /-/reload, and
// when its files have changed.
type reloader struct {
	source *config.Source
	store  *config.Store
	logger log.Logger
}

// load loads the configuration, and logs what is in force and what of it watches nothing.
func (r *reloader) load() error {
	if err := r.store.Reload(); err != nil {
		return err
	}
	c := r.store.Config()
	_ = level.Info(r.logger).Log("msg", "loaded the configuration", "file", c.Source(), "targets", len(c.Targets), "sessions", c.Sessions())
	for _, w := range c.Unwatched() {
		_ = level.Warn(r.logger).Log("msg", "a part of the configuration watches nothing", "warning", w)
	}
	return nil
}

// reload is load with a configuration in force, which stays if there is an error.
func (r *reloader) reload() error {
	err := r.load()
	if err != nil {
		_ = level.Error(r.logger).Log("msg", "failed to reload the configuration; the old one stays", "err", err)
	}
	return err
}

// run reloads at every SIGHUP, and when the files have changed, which it finds out once in
// an interval; never if that is 0. It ends with ctx.
func (r *reloader) run(ctx context.Context, hangup <-chan os.Signal, interval time.Duration) {
	var ticks <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-hangup:
			_ = r.reload() // which has logged it
		case <-ticks:
			if r.source.Changed(ctx) {
				_ = r.reload()
			}
		case <-ctx.Done():
			return
		}
	}
}
