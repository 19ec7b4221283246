package app

import (
	"bytes"
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/config"
	"hmp_exporter/internal/report"
)

// A source has the configuration: a [config.Source], or the demo.
type source interface {
	Load() (*config.Config, error)
	Changed(context.Context) bool
}

// A reloader loads the configuration at the start, at SIGHUP, at POST /-/reload, and when
// its files have changed.
type reloader struct {
	source source
	store  *config.Store
	logger log.Logger

	mu sync.Mutex // from before a reload to its line of the log, so that each line has its own changes
}

// Reload loads the configuration. If it fails, the old one stays.
func (r *reloader) Reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.store.Config()
	if err := r.store.Reload(); err != nil {
		if before != nil { // at the start, the program prints the error and ends
			_ = level.Error(r.logger).Log("msg", "failed to reload the configuration; the old one stays", "err", err)
		}
		return err
	}
	c := r.store.Config()
	line := []any{"msg", "loaded the configuration", "file", c.File, "targets", len(c.Targets), "sessions", c.Sessions()}
	if before != nil {
		line = append(line, changes(before, c)...)
	}
	_ = level.Info(r.logger).Log(line...)
	for _, w := range c.LoadWarnings {
		_ = level.Warn(r.logger).Log("msg", "a warning about the configuration", "warning", w)
	}
	return nil
}

// changes returns how two configurations differ, as keys and values. It names sessions that
// the exporter probes in another way.
func changes(before, after *config.Config) []any {
	const maxNames = 10
	var added, changed []string
	old := sessionsByName(before)
	for _, t := range after.Targets {
		for _, s := range t.Sessions {
			name := t.Name + "/" + s.Name
			switch o := old[name]; {
			case o == nil:
				added = append(added, name)
			case !o.Same(s):
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
	}{{"added_sessions", added}, {"removed_sessions", removed}, {"changed_sessions", changed}} {
		if len(list.names) > 0 {
			pairs = append(pairs, list.key, report.Join(list.names, ",", maxNames))
		}
	}
	if pairs != nil {
		return pairs
	}
	oldText, errBefore := before.YAML()
	newText, errAfter := after.YAML()
	if errBefore != nil || errAfter != nil || !bytes.Equal(oldText, newText) {
		return []any{"changed", "labels, max_concurrent, order or a default that no target uses"}
	}
	return []any{"changed", "no setting"}
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

// run reloads at every SIGHUP. With an interval above 0, it also reloads when the files have
// changed. It returns when ctx is done.
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
			_ = r.Reload() // it logs its error
		case <-ticks:
			if r.source.Changed(ctx) {
				_ = r.Reload()
			}
		case <-ctx.Done():
			return
		}
	}
}
