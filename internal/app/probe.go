package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"golang.org/x/term"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/report"
	"hmp_exporter/internal/token"
)

// outputs are the output formats. The first is the default.
var outputs = []string{"table", "json", "metrics"}

// errNotValid is that a session is not valid or was not probed.
var errNotValid = errors.New("not all sessions are valid")

// probe probes sessions once and prints their results. If a signal ends it, it prints the
// results so far.
func probe(f *flags, source *config.Source) error {
	c, err := source.Load()
	if err != nil {
		f.printVariableWarnings()
		return usageError{err}
	}
	sessions, err := checkNames(c, f.target, f.session)
	if err != nil {
		return usageError{err}
	}
	logger, _, flush := logging.New(os.Stderr, f.logFormat, f.logLevel)
	defer flush()
	progress := io.Discard // where to show how many sessions have answered
	if !isDumb() && term.IsTerminal(int(os.Stderr.Fd())) && f.logLevel == "error" {
		progress = os.Stderr
	}
	ctx, stop := signalContext()
	defer stop()
	r := probeOnce(ctx, f, c, log.With(logger, "command", f.command), func(answered int, elapsed time.Duration) {
		_, _ = fmt.Fprintf(progress, "\r%d of %d answered, %.1f s\x1b[K", answered, sessions, elapsed.Seconds())
	})
	_, _ = io.WriteString(progress, "\r\x1b[K")
	if err := writeReport(os.Stdout, r, f.output); err != nil {
		return fmt.Errorf("failed to write the output: %w", err)
	}
	switch {
	case r.Interrupted && f.output != "table":
		return fmt.Errorf("%w: %s", errNotValid, r.NotProbedText())
	case !r.Valid():
		return errNotValid
	}
	return nil
}

// isDumb reports whether a terminal would print escape sequences instead of obeying them.
func isDumb() bool {
	terminal := os.Getenv("TERM")
	return terminal == "" || terminal == "dumb"
}

// checkNames returns the number of sessions with these names. "" stands for all names. If a name is
// unknown, the error lists the known names.
func checkNames(c *config.Config, target, session string) (int, error) {
	var targets, sessions []string
	for _, t := range c.Targets {
		targets = append(targets, t.Name)
		for _, s := range t.Sessions {
			if target == "" || target == t.Name {
				sessions = append(sessions, s.Name)
			}
		}
	}
	switch {
	case len(targets) == 0:
		return 0, errors.New("the configuration has no target; hmp_exporter check says why")
	case len(sessions) == 0:
		return 0, fmt.Errorf("unknown target %.100q; %s", target, suggest(target, targets))
	case session == "":
		return len(sessions), nil
	case !slices.Contains(sessions, session):
		return 0, fmt.Errorf("unknown session %.100q of target %s; %s", session, target, suggest(session, sessions))
	default:
		return 1, nil
	}
}

// suggest returns the nearest of the known names, and a list of them.
func suggest(name string, names []string) string {
	const maxNames = 20
	text := "there is " + report.Join(names, ", ", maxNames)
	if nearest := config.Nearest(name, names); nearest != "" {
		text = "did you mean " + nearest + "? " + text
	}
	return text
}

// probeOnce probes the sessions that the flags name. It calls progress ten times a second.
func probeOnce(ctx context.Context, f *flags, cfg *config.Config, logger log.Logger, progress func(answered int, elapsed time.Duration)) *report.Report {
	request := collector.Request{Target: f.target, Session: f.session}
	if f.timeout > 0 {
		request.ScrapeTimeout = strconv.FormatFloat(f.timeout.Seconds(), 'f', -1, 64)
	}
	c := collector.New(collector.Options{
		MaxConcurrent: f.maxConcurrent,
		Version:       f.askVersion,
		UserAgent:     version.ComponentUserAgent("hmp_exporter"),
		Logger:        logger,
	})
	defer c.Close()
	c.Apply(cfg)
	r := &report.Report{Start: time.Now()}
	done := make(chan []collector.Result, 1)
	go func() {
		results, _ := c.Probe(request) // the configuration has these names
		done <- results
	}()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for r.Results == nil {
		select {
		case r.Results = <-done:
			c.WaitForVersions(ctx)
			for i := range r.Results {
				r.Results[i].Version = c.Version(r.Results[i].Target)
			}
		case <-ticker.C:
			progress(countAnswered(c), time.Since(r.Start))
		case <-ctx.Done():
			r.Results, r.Interrupted = resultsSoFar(f, c)
		}
	}
	r.Duration = time.Since(r.Start)
	for i := range r.Results {
		if result := &r.Results[i]; result.Logins != nil && result.Logins.Suspended {
			result.Reason = withoutNextLogin(result.Reason)
		}
	}
	return r
}

// resultsSoFar returns the results of the sessions that the flags name, and whether a session has
// none. A signal can come after the last result.
func resultsSoFar(f *flags, c *collector.Collector) (results []collector.Result, isIncomplete bool) {
	for _, result := range c.Last() {
		if (f.target == "" || result.Target == f.target) && (f.session == "" || result.Session == f.session) {
			results = append(results, result)
			isIncomplete = isIncomplete || result.ResultName() == ""
		}
	}
	return results, isIncomplete
}

// countAnswered returns how many sessions have a result.
func countAnswered(c *collector.Collector) (n int) {
	for _, s := range c.Summaries() {
		if s.ResultName != "" {
			n++
		}
	}
	return n
}

// withoutNextLogin removes from a reason when this process would try the login again. The next
// run of the command does not know that.
func withoutNextLogin(reason string) string {
	reason, _, _ = strings.Cut(reason, token.NextLoginPrefix)
	return strings.TrimSuffix(reason, "; ")
}

// writeReport writes a report in an output format.
func writeReport(w *os.File, r *report.Report, output string) error {
	switch output {
	case "json":
		return r.WriteJSON(w)
	case "metrics":
		var probed []collector.Result
		for _, result := range r.Results {
			if result.ResultName() != "" {
				probed = append(probed, result)
			}
		}
		out := bufio.NewWriter(w)
		collector.WriteText(out, probed, false)
		return out.Flush()
	default:
		var terminal report.Terminal
		if width, _, err := term.GetSize(int(w.Fd())); err == nil && !isDumb() {
			terminal = report.Terminal{Width: max(width, 20), Colours: os.Getenv("NO_COLOR") == ""}
		}
		return r.WriteTable(w, terminal)
	}
}
