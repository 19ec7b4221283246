// Package app has the commands of the program: serve, check, probe, demo and healthcheck.
//
// [Run] parses the command line (flags.go, help.go, environment.go) and runs a command. The
// commands only connect the other packages: config loads the configuration, collector probes,
// internal/web serves and internal/report writes results.
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
	"hmp_exporter/internal/web"
)

// Run runs a command line. It returns the exit code of the process.
func Run(args []string) int {
	stdlog.SetOutput(io.Discard) // net/http writes there what an HMP sends unasked, with secrets
	if version.Version == "" {
		version.Version = buildVersion()
	}
	f, err := parse(args)
	if err == nil {
		err = f.run()
	}
	printError(err)
	_, isUsage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return 0
	case isUsage:
		return 2
	default:
		return 1
	}
}

// run runs the command.
func (f *flags) run() error {
	source := &config.Source{File: f.configFile, Getenv: os.Getenv, SyntaxOnly: f.syntaxOnly}
	switch f.command {
	case checkCommand:
		return check(f, source)
	case probeCommand:
		return probe(f, source)
	case demoCommand:
		return runDemo(f)
	case healthcheckCommand:
		return web.Healthcheck(context.Background(), f.web, f.location, f.healthURL)
	default:
		ctx, stop := signalContext()
		defer stop()
		return serve(ctx, f, source, os.Stderr, func(string) {})
	}
}

// A usageError is an error of the command line. For the command probe, it is also an error of
// the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// printError prints an error, unless the output of the command has said it.
func printError(err error) {
	if err == nil || err == errNotValid { //nolint:errorlint // an error that wraps it says more
		return
	}
	// Errors of a configuration begin with file and line, so that an editor finds the place.
	if _, ok := errors.AsType[config.Errors](err); !ok {
		err = fmt.Errorf("hmp_exporter: %w", err)
	}
	fmt.Fprintln(os.Stderr, err)
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
