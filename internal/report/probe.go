package report

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/config"
)

// The formats of the output.
const (
	Table   = "table"
	JSON    = "json"
	Metrics = "metrics"
)

// Formats lists them, the default one first.
var Formats = []string{Table, JSON, Metrics}

// ErrNotValid tells that a session is not valid, or was not probed.
var ErrNotValid = errors.New("not all sessions are valid")

// ErrOutput tells that the report could not be written.
var ErrOutput = errors.New("failed to write what was found")

// A Command has the arguments and flags of the command line.
type Command struct {
	Options
	Target, Session string // "" for all
	Format          string
	Stdout          io.Writer
	// Progress is a terminal that shows how many sessions have answered; nil for none.
	Progress io.Writer
	// Terminal tells that Stdout is one. Width is the number of its columns.
	Terminal, Colours bool
	Width             int
}

// Run probes and writes. Its error is [ErrNotValid] if the report says all, or [ErrOutput].
// If there is no such target or session, its error lists the known names.
//
// When ctx is done, Run writes the results so far.
func (c *Command) Run(ctx context.Context) error {
	sessions, err := c.countSessions()
	if err != nil {
		return err
	}
	start := time.Now()
	report := c.run(ctx, collector.Request{Target: c.Target, Session: c.Session}, func(answered int) {
		c.progress("%d of %d answered, %.1f s", answered, sessions, time.Since(start).Seconds())
	})
	c.progress("")
	out := bufio.NewWriter(c.Stdout)
	switch c.Format {
	case JSON:
		err = writeJSON(out, report)
	case Metrics:
		writeMetrics(out, report)
	default:
		w := &tableWriter{Writer: out, terminal: c.Terminal, colours: c.Colours, width: defaultWidth}
		if c.Terminal {
			w.width = max(c.Width, 20)
		}
		w.write(report)
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOutput, err)
	case report.Interrupted && c.Format != Table:
		return fmt.Errorf("%w: %s", ErrNotValid, report.left())
	}
	return report.err()
}

// progress writes a line in place of the one before.
func (c *Command) progress(format string, arguments ...any) {
	if c.Progress != nil {
		_, _ = fmt.Fprintf(c.Progress, "\r"+format+"\x1b[K", arguments...)
	}
}

// err returns [ErrNotValid] unless all sessions are valid.
func (r *Report) err() error {
	if _, valid := r.count(); valid < len(r.Attempts) {
		return ErrNotValid
	}
	return nil
}

// writeMetrics writes what /probe would answer.
func writeMetrics(w *bufio.Writer, r *Report) {
	var results []collector.Result
	for _, a := range r.Attempts {
		if a.Result != nil {
			results = append(results, *a.Result)
		}
	}
	collector.WriteText(w, results, false)
}

// countSessions returns how many sessions Target and Session name.
func (c *Command) countSessions() (int, error) {
	var targets, sessions []string
	for _, t := range c.Config.Targets {
		targets = append(targets, t.Name)
		for _, s := range t.Sessions {
			if c.Target == "" || c.Target == t.Name {
				sessions = append(sessions, s.Name)
			}
		}
	}
	switch {
	case len(targets) == 0:
		return 0, errors.New("no session is configured: see target_files")
	case len(sessions) == 0:
		return 0, fmt.Errorf("unknown target %.100q; %s", c.Target, suggest(c.Target, targets))
	case c.Session == "":
		return len(sessions), nil
	case !slices.Contains(sessions, c.Session):
		return 0, fmt.Errorf("unknown session %.100q of target %s; %s", c.Session, c.Target, suggest(c.Session, sessions))
	default:
		return 1, nil
	}
}

// suggest lists at most 20 names, and suggests the nearest.
func suggest(name string, names []string) string {
	text := "there is " + Join(names, ", ", 20)
	if near := config.Nearest(name, names); near != "" {
		text = "did you mean " + near + "? " + text
	}
	return text
}
