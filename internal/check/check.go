// Package check tells a person what a configuration comes to: what would be probed, what
// is wrong with it, what is unwise, and what to do about each.
package check

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"hmp_exporter/config"
)

// ErrWarnings is that there are warnings, where none are allowed.
var ErrWarnings = errors.New("there are warnings, and --strict allows none")

// A Command is what was asked for on the command line.
type Command struct {
	Config         *config.Config
	Strict         bool          // warnings are errors
	ScrapeInterval time.Duration // of Prometheus; 0 if it is not known
	Warnings       config.Errors // about other things than the configuration
	Stdout         io.Writer
}

// Run writes the report. Its error is [config.Errors] with every secret that cannot be
// read, or [ErrWarnings].
func (c *Command) Run() error {
	warnings := slices.Concat(c.Warnings, c.Config.Warnings())
	if c.ScrapeInterval > 0 {
		warnings = append(warnings, c.Config.IntervalWarnings(c.ScrapeInterval)...)
	}
	err := c.Config.CheckSecrets()
	errs, _ := errors.AsType[config.Errors](err)
	r := newReport(c.Config, errs, warnings)
	if _, writing := io.WriteString(c.Stdout, r.text()); writing != nil {
		return fmt.Errorf("failed to write the report: %w", writing)
	}
	switch {
	case err != nil:
		return err
	case c.Strict && len(warnings) > 0:
		return ErrWarnings
	}
	return nil
}

// A report is all that there is to say.
type report struct {
	config           *config.Config
	errors, warnings int                      // how many there are; the errors are shown by who gets them
	broken           map[[2]string]bool       // sessions with a secret that cannot be used, by target and name
	warned           map[string]config.Errors // by target, those about none at ""
}

func newReport(c *config.Config, errs, warnings config.Errors) *report {
	r := &report{
		config: c,
		errors: len(errs), warnings: len(warnings),
		broken: make(map[[2]string]bool),
		warned: make(map[string]config.Errors),
	}
	for _, e := range errs {
		r.broken[[2]string{e.Target, e.Session}] = true
	}
	for _, w := range warnings {
		r.warned[w.Target] = append(r.warned[w.Target], w)
	}
	return r
}

// text is the whole report, target by target.
func (r *report) text() string {
	var b strings.Builder
	b.WriteString(r.config.Summary())
	for _, n := range []struct {
		count int
		noun  string
	}{{r.errors, "error"}, {r.warnings, "warning"}} {
		if n.count > 0 {
			b.WriteString(", " + config.Plural(n.count, n.noun))
		}
	}
	b.WriteString("\n")
	r.warn(&b, "")
	for _, t := range r.config.Targets {
		r.target(&b, t)
	}
	return b.String()
}

func (r *report) target(b *strings.Builder, t *config.Target) {
	fmt.Fprintf(b, "\n%s: %s, timeout %s\n", t.Name, t.URL, model.Duration(t.Timeout))
	if t.Address != "" {
		fmt.Fprintf(b, "  connects to %s\n", t.Address)
	}
	if t.MaxConcurrent > 0 {
		fmt.Fprintf(b, "  at most %s at once\n", config.Plural(t.MaxConcurrent, "probe"))
	}
	if len(t.Labels) > 0 {
		fmt.Fprintf(b, "  labels %s\n", t.Labels)
	}
	width := 0
	for _, s := range t.Sessions {
		width = max(width, len(s.Name))
	}
	for _, s := range t.Sessions {
		mark := ""
		if r.broken[[2]string{t.Name, s.Name}] {
			mark = "  (cannot be used)"
		}
		fmt.Fprintf(b, "  %-*s  %s%s\n", width, s.Name, s.Credential(), mark)
	}
	r.warn(b, t.Name)
}

// warn writes the warnings about a target, or those about none.
func (r *report) warn(b *strings.Builder, target string) {
	for _, w := range r.warned[target] {
		fmt.Fprintf(b, "  warning: %s\n", w)
	}
}
