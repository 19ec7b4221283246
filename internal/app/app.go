// Package app has the commands of the program: serve, check, probe, demo and healthcheck.
//
// [Run] parses the command line (commandline.go, flags.go) and runs a command, which has a
// file of its own. The commands only connect the other packages: config loads the
// configuration, collector probes, internal/web serves and internal/report writes results.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/prometheus/common/version"

	"hmp_exporter/config"
	"hmp_exporter/internal/report"
)

// Run runs a command line. It returns the exit code of the process.
func Run(args []string) int {
	stdlog.SetOutput(io.Discard) // net/http writes there what an HMP sends unasked, with secrets
	if version.Version == "" {
		version.Version = buildVersion()
	}
	line, err := Parse(args, version.Print("hmp_exporter"), os.Stdout)
	if err == nil {
		err = line.run()
	}
	if err == nil {
		return 0
	}
	printError(err)
	return exitCode(line.Command, err)
}

// run runs the command.
func (l *Line) run() error {
	source := &config.Source{
		File:           l.ConfigFile,
		Getenv:         os.Getenv,
		SyntaxOnly:     l.Check.SyntaxOnly,
		ForCheck:       l.Command == Check,
		ScrapeInterval: l.Check.ScrapeInterval,
	}
	switch l.Command {
	case "":
		return nil // the command line has been answered
	case Check:
		return runCheck(l, source.Load)
	case Probe:
		return runProbe(l, source.Load)
	case Demo:
		return demo(l, os.Stdout)
	case Healthcheck:
		return healthcheck(l)
	default:
		return serve(l, source, func(string) {})
	}
}

// printError prints an error that the output of the command has not told.
func printError(err error) {
	if err == report.ErrNotValid { //nolint:errorlint // one that wraps it has more to say
		return
	}
	// Errors of a configuration begin with file and line, so that an editor finds the place.
	if _, ok := errors.AsType[config.Errors](err); !ok {
		err = fmt.Errorf("hmp_exporter: %w", err)
	}
	fmt.Fprintln(os.Stderr, err)
}

// exitCode returns 2 if the command probe could not begin. It returns 1 if sessions are not
// valid, or if an output cannot be written.
func exitCode(command string, err error) int {
	if command == Probe && !errors.Is(err, report.ErrNotValid) && !errors.Is(err, report.ErrOutput) {
		return 2
	}
	return 1
}

// signalContext returns a context that a signal ends. A second signal ends the program.
func signalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// buildVersion returns the version of a binary that was built without the Makefile.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "devel"
}
