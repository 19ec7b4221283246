// Command hmp_exporter watches sessions of service tokens on Haivision Media
// Platforms (HMP) for Prometheus. See README.md.
package main

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

	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"golang.org/x/term"

	"hmp_exporter/config"
	"hmp_exporter/internal/check"
	"hmp_exporter/internal/commandline"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/probe"
	"hmp_exporter/internal/web"
)

func main() {
	stdlog.SetOutput(io.Discard) // net/http writes there what an HMP sends unasked, secrets and all
	if version.Version == "" {
		version.Version = buildVersion()
	}
	line, err := commandline.Parse(os.Args[1:], version.Print("hmp_exporter"), os.Stdout)
	if err == nil {
		err = run(line)
	}
	if err != nil {
		report(err)
		os.Exit(exitCode(line.Command, err))
	}
}

// run does what was asked for.
func run(line *commandline.Line) error {
	source := &config.Source{File: line.ConfigFile, Getenv: os.Getenv, SyntaxOnly: line.Check.SyntaxOnly, ForCheck: line.Command == commandline.Check}
	switch line.Command {
	case "":
		return nil // the command line has been answered
	case commandline.Check:
		return runCheck(line, source.Load)
	case commandline.Probe:
		return runProbe(line, source.Load)
	case commandline.Demo:
		return demo(line, os.Stdout)
	case commandline.Healthcheck:
		return healthcheck(line)
	default:
		return serve(line, source, func(string) {})
	}
}

// report says what went wrong, unless the output has said it.
func report(err error) {
	if err == probe.ErrNotValid { //nolint:errorlint // one that wraps it has more to say
		return
	}
	// Errors of a configuration begin with file and line, as editors like them.
	if _, ok := errors.AsType[config.Errors](err); !ok {
		err = fmt.Errorf("hmp_exporter: %w", err)
	}
	fmt.Fprintln(os.Stderr, err)
}

// exitCode is 2 where a probe could not begin. Sessions that are not valid, and an output that
// cannot be written, are 1.
func exitCode(command string, err error) int {
	if command == commandline.Probe && !errors.Is(err, probe.ErrNotValid) && !errors.Is(err, probe.ErrOutput) {
		return 2
	}
	return 1
}

func runCheck(line *commandline.Line, load func() (*config.Config, error)) error {
	webErr := web.ValidateConfig(*line.Web.WebConfigFile, line.Check.SyntaxOnly)
	cfg, err := load()
	if err != nil {
		return errors.Join(err, webErr)
	}
	c := check.Command{
		Config:         cfg,
		Strict:         line.Check.Strict,
		ScrapeInterval: line.Check.ScrapeInterval,
		Stdout:         os.Stdout,
	}
	for _, v := range line.Unknown {
		c.Warnings = append(c.Warnings, &config.Error{File: "environment", Field: v.Name, Problem: "no flag has this variable; " + v.Hint})
	}
	err = c.Run()
	if webErr != nil {
		err = errors.Join(err, webErr)
	}
	return err
}

func runProbe(line *commandline.Line, load func() (*config.Config, error)) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	least := "error" // the output says what a log would say of the results
	if line.LogLevel == "debug" {
		least = line.LogLevel
	}
	logger, _, flush := logging.New(os.Stderr, line.LogFormat, least)
	defer flush()
	ctx, stop := interruptible()
	defer stop()
	c := probe.Command{
		Options: probe.Options{
			Config:        cfg,
			Timeout:       line.Probe.Timeout,
			MaxConcurrent: line.MaxConcurrent,
			Version:       line.AskVersion,
			UserAgent:     version.ComponentUserAgent("hmp_exporter"),
			Logger:        log.With(logger, "command", line.Command),
		},
		Target:  line.Probe.Target,
		Session: line.Probe.Session,
		Format:  line.Probe.Output,
		Stdout:  os.Stdout,
	}
	if t := os.Getenv("TERM"); t != "" && t != "dumb" {
		width, _, err := term.GetSize(int(os.Stdout.Fd()))
		c.Terminal, c.Width, c.Colours = err == nil, width, err == nil && os.Getenv("NO_COLOR") == ""
		if term.IsTerminal(int(os.Stderr.Fd())) && least == "error" {
			c.Progress = os.Stderr
		}
	}
	return c.Run(ctx)
}

// healthcheck asks the exporter that runs with the same flags, environment and files.
func healthcheck(line *commandline.Line) error {
	address := line.HealthURL
	if address == "" {
		location, err := web.NewLocation(line.ExternalURL, line.RoutePrefix)
		if err != nil {
			return err
		}
		if address, err = web.HealthURL(line.Web, location); err != nil {
			return err
		}
	}
	return web.Healthcheck(context.Background(), address)
}

// interruptible returns a context that a signal ends; a second one ends the program.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// buildVersion is for binaries that were built without the Makefile.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "devel"
}
