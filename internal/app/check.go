package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"hmp_exporter/config"
	"hmp_exporter/internal/report"
	"hmp_exporter/internal/web"
)

// errWarnings is that there are warnings, where none are allowed.
var errWarnings = errors.New("there are warnings, and --strict allows none")

// runCheck loads the configuration and says what is in it.
func runCheck(line *Line, load func() (*config.Config, error)) error {
	webErr := web.ValidateConfig(*line.Web.WebConfigFile, line.Check.SyntaxOnly)
	cfg, err := load()
	if err != nil {
		return errors.Join(err, webErr)
	}
	c := checkCommand{
		Config: cfg,
		Strict: line.Check.Strict,
		Stdout: os.Stdout,
	}
	for _, v := range line.Unknown {
		c.Warnings = append(c.Warnings, &config.Error{File: "environment", Field: v.Name, Problem: "no flag has this variable; " + v.Hint})
	}
	err = c.run()
	if webErr != nil {
		err = errors.Join(err, webErr)
	}
	return err
}

// A checkCommand is what was asked for on the command line.
type checkCommand struct {
	Config   *config.Config
	Strict   bool          // warnings are errors
	Warnings config.Errors // about other things than the configuration
	Stdout   io.Writer
}

// run writes the report. Its error is [config.Errors] with every secret that cannot be
// read, or errWarnings.
func (c *checkCommand) run() error {
	problems, warnings := c.Config.Check()
	warnings = slices.Concat(c.Warnings, warnings)
	r := newCheckReport(c.Config, problems, warnings)
	if _, writing := io.WriteString(c.Stdout, r.text()); writing != nil {
		return fmt.Errorf("failed to write the report: %w", writing)
	}
	switch {
	case len(problems) > 0:
		return problems
	case c.Strict && len(warnings) > 0:
		return errWarnings
	}
	return nil
}

// A checkReport is all that there is to say.
type checkReport struct {
	config           *config.Config
	errors, warnings int                      // how many there are; the errors are shown by who gets them
	broken           map[[2]string]bool       // sessions with a secret that cannot be used, by target and name
	warned           map[string]config.Errors // by target, those about none at ""
}

func newCheckReport(c *config.Config, errs, warnings config.Errors) *checkReport {
	r := &checkReport{
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
func (r *checkReport) text() string {
	var b strings.Builder
	c := r.config
	b.WriteString(c.Source)
	if c.TargetFiles > 0 {
		b.WriteString(" and " + report.Plural(c.TargetFiles, "target file"))
	}
	b.WriteString(": " + report.Plural(len(c.Targets), "target") + ", " + report.Plural(c.Sessions(), "session"))
	if r.errors > 0 {
		b.WriteString(", " + report.Plural(r.errors, "error"))
	}
	if r.warnings > 0 {
		b.WriteString(", " + report.Plural(r.warnings, "warning"))
	}
	b.WriteString("\n")
	r.warn(&b, "")
	for _, t := range r.config.Targets {
		r.target(&b, t)
	}
	return b.String()
}

func (r *checkReport) target(b *strings.Builder, t *config.Target) {
	fmt.Fprintf(b, "\n%s: %s, timeout %s\n", t.Name, t.URL, model.Duration(t.Timeout))
	if t.Address != "" {
		fmt.Fprintf(b, "  connects to %s\n", t.Address)
	}
	if t.MaxConcurrent > 0 {
		fmt.Fprintf(b, "  at most %s at once\n", report.Plural(t.MaxConcurrent, "probe"))
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
func (r *checkReport) warn(b *strings.Builder, target string) {
	for _, w := range r.warned[target] {
		fmt.Fprintf(b, "  warning: %s\n", w)
	}
}
