package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"hmp_exporter/collector"
	"hmp_exporter/internal/terminal"
)

// The formats of the output.
const (
	Table   = "table"
	JSON    = "json"
	Metrics = "metrics"
)

// Formats lists them, the default one first.
var Formats = []string{Table, JSON, Metrics}

// ErrNotValid is that a session is not valid, or was not probed.
var ErrNotValid = errors.New("not all sessions are valid")

// ErrOutput is that what was found could not be written.
var ErrOutput = errors.New("failed to write what was found")

// A Command is what was asked for on the command line.
type Command struct {
	Options
	Target, Session string // "" for all
	Format          string
	Stdout          io.Writer
	Terminal        *terminal.Terminal // that the output goes to; nil if it is none
}

// Run probes and writes. Its error is [ErrNotValid] if all that is to say about that has
// been written, or [ErrOutput]. It is one of those of [config.Config.Select] where nothing was probed.
//
// When ctx is done, what has come so far is written.
func (c *Command) Run(ctx context.Context) error {
	sessions, err := c.Config.Select(c.Target, c.Session)
	if err != nil {
		return err
	}
	request := []collector.Request{{Target: c.Target, Session: c.Session}}
	if c.Format == Table && c.Terminal != nil {
		l := newLive(c.Terminal, sessions)
		return l.end(c.run(ctx, sessions, request, l.watch))
	}
	report := c.run(ctx, sessions, request, nil)
	out := bufio.NewWriter(c.Stdout)
	switch c.Format {
	case JSON:
		err = writeJSON(out, report)
	case Metrics:
		writeMetrics(out, report)
	default:
		writePlain(out, report, newLayout(sessions))
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOutput, err)
	case report.Stopped != "" && c.Format != Table:
		return fmt.Errorf("%w: %s", ErrNotValid, report.left())
	}
	return report.err()
}

// err is ErrNotValid unless all is well.
func (r *Report) err() error {
	if r.valid() < len(r.Attempts) {
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
