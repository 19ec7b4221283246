package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"hmp_exporter/config"
	"hmp_exporter/internal/report"
	"hmp_exporter/internal/web"
)

var errWarnings = errors.New("there are warnings, and --strict allows none")

// check loads the configuration as serve does, and prints what serve would probe.
func check(f *flags, source *config.Source) error {
	webErr := web.ValidateConfig(*f.web.WebConfigFile, f.syntaxOnly)
	checked, err := source.Check()
	if err != nil {
		f.printVariableWarnings()
		return errors.Join(err, webErr)
	}
	checked.Warnings = append(f.variableWarnings(), checked.Warnings...)
	if _, err := os.Stdout.WriteString(describe(checked)); err != nil {
		return fmt.Errorf("failed to write the output: %w", err)
	}
	switch {
	case len(checked.SecretErrors) > 0:
		err = checked.SecretErrors
	case f.strict && len(checked.Warnings) > 0:
		err = errWarnings
	}
	return errors.Join(err, webErr)
}

// describe returns what is configured, target by target. Run prints the errors.
func describe(c *config.Checked) string {
	var b strings.Builder
	b.WriteString(c.File)
	if c.TargetFiles > 0 {
		b.WriteString(" and " + report.Plural(c.TargetFiles, "target file"))
	}
	b.WriteString(": " + report.Plural(len(c.Targets), "target") + ", " + report.Plural(c.Sessions(), "session"))
	if len(c.SecretErrors) > 0 {
		b.WriteString(", " + report.Plural(len(c.SecretErrors), "error"))
	}
	if len(c.Warnings) > 0 {
		b.WriteString(", " + report.Plural(len(c.Warnings), "warning"))
	}
	b.WriteString("\n")
	warn := func(target string) {
		for _, w := range c.Warnings {
			if w.Target == target {
				fmt.Fprintf(&b, "  warning: %s\n", w)
			}
		}
	}
	warn("")
	for _, t := range c.Targets {
		fmt.Fprintf(&b, "\n%s: %s, timeout %s\n", t.Name, t.URL, model.Duration(t.Timeout))
		if t.Address != "" {
			fmt.Fprintf(&b, "  connects to %s\n", t.Address)
		}
		if t.MaxConcurrent > 0 {
			fmt.Fprintf(&b, "  at most %s at once\n", report.Plural(t.MaxConcurrent, "probe"))
		}
		if len(t.Labels) > 0 {
			fmt.Fprintf(&b, "  labels %s\n", t.Labels)
		}
		width := 0
		for _, s := range t.Sessions {
			width = max(width, len(s.Name))
		}
		for _, s := range t.Sessions {
			mark := ""
			if slices.ContainsFunc(c.SecretErrors, func(e *config.Error) bool { return e.Target == t.Name && e.Session == s.Name }) {
				mark = "  (cannot be used)"
			}
			fmt.Fprintf(&b, "  %-*s  %s%s\n", width, s.Name, s.Credential(), mark)
		}
		warn(t.Name)
	}
	return b.String()
}
