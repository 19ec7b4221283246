package app

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/config"
	"hmp_exporter/internal/report"
)

// A reloader loads the configuration: at the start, at SIGHUP, at POST /-/reload, and
// when its files have changed.
type reloader struct {
	source *config.Source
	store  *config.Store
	logger log.Logger
}

// load loads the configuration. It logs what is in force, what has changed, and what of it
// watches nothing.
func (r *reloader) load() error {
	before := r.store.Config()
	if err := r.store.Reload(); err != nil {
		return err
	}
	c := r.store.Config()
	line := []any{"msg", "loaded the configuration", "file", c.Source, "targets", len(c.Targets), "sessions", c.Sessions()}
	if before != nil {
		line = append(line, changes(before, c)...)
	}
	_ = level.Info(r.logger).Log(line...)
	for _, w := range c.UnmatchedPatterns {
		_ = level.Warn(r.logger).Log("msg", "a part of the configuration watches nothing", "warning", w)
	}
	return nil
}

// changes tells which sessions differ between two configurations, as keys and values.
func changes(before, after *config.Config) []any {
	var added, changed []string
	old := sessionsByName(before)
	for _, t := range after.Targets {
		for _, s := range t.Sessions {
			name := t.Name + "/" + s.Name
			switch was := old[name]; {
			case was == nil:
				added = append(added, name)
			case !was.Same(s):
				changed = append(changed, name)
			}
			delete(old, name)
		}
	}
	removed := slices.Sorted(maps.Keys(old))
	var pairs []any
	for _, list := range []struct {
		key   string
		names []string
	}{{"added", added}, {"removed", removed}, {"changed", changed}} {
		if len(list.names) > 0 {
			pairs = append(pairs, list.key, report.Join(list.names, ",", maxNames))
		}
	}
	if pairs == nil {
		return []any{"changed", "nothing"}
	}
	return pairs
}

func sessionsByName(c *config.Config) map[string]*config.Session {
	byName := make(map[string]*config.Session)
	for _, t := range c.Targets {
		for _, s := range t.Sessions {
			byName[t.Name+"/"+s.Name] = s
		}
	}
	return byName
}

// maxNames is how many names a line of the log has.
const maxNames = 10

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
