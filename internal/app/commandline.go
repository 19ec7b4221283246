package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// The commands.
const (
	Serve       = "serve"
	Check       = "check"
	Probe       = "probe"
	Demo        = "demo"
	Healthcheck = "healthcheck"
)

// notGiven is the --probe.interval of who gives none.
const notGiven time.Duration = -1

// demoInterval is how often the demo probes. Its shortest state lasts 25 s.
const demoInterval = 10 * time.Second

// A Line is what somebody typed, and what the environment adds to it.
type Line struct {
	Command string // "" if there is nothing left to do

	ConfigFile          string        // "" if none was named
	ReloadInterval      time.Duration // 0 for never
	LogLevel, LogFormat string

	Web           *toolkit.FlagConfig
	TelemetryPath string
	ExternalURL   string
	RoutePrefix   string
	Lifecycle     bool
	Pprof         bool
	MaxRequests   int

	ProbeSessions bool
	AskVersion    bool
	TimeoutOffset time.Duration
	MaxConcurrent int
	ProbeInterval time.Duration // 0 for no probes but those of scrapes

	Probe struct {
		Target, Session string // "" for all
		Output          string
		Timeout         time.Duration // 0 for what is configured
	}
	Check struct {
		Strict, SyntaxOnly bool
		ScrapeInterval     time.Duration // 0 if it is not known
	}
	HealthURL string // "" for where the flags have it listen

	Unknown []Unknown // variables
}

// An Unknown variable of the environment looks like that of a flag, and there is none.
type Unknown struct {
	Name, Hint string
}

// Parse reads arguments. Those that ask for help, the version, the man page or completions
// are answered on stdout, and most of them end the process; if not, there is no command.
//
// A Line comes with an error too, with the command as far as it is known.
func Parse(args []string, version string, stdout io.Writer) (*Line, error) {
	line := &Line{ProbeInterval: notGiven}
	app := line.application(version)
	app.UsageWriter(stdout)
	if names, ok := complete(app, args); ok {
		_, err := io.WriteString(stdout, strings.Join(names, "\n"))
		return line, err
	}
	command, err := app.Parse(args)
	if err == nil {
		err = line.validate()
	}
	if err != nil {
		line.Command = meant(app, args)
		return line, fmt.Errorf("%s%w; %ssee hmp_exporter --help", variableOf(app, args, err), err, nearestCommand(app, err))
	}
	line.Command, line.Unknown = command, unknownVariables(app, os.Environ())
	if line.ProbeInterval == notGiven {
		line.ProbeInterval = map[bool]time.Duration{true: demoInterval}[command == Demo]
	}
	return line, nil
}

// application defines all commands and flags.
func (l *Line) application(version string) *kingpin.Application {
	app := kingpin.New("hmp_exporter", about)
	app.Version(version).VersionFlag.Short('v').NoEnvar().Help("Show the version.")
	app.HelpFlag.Short('h').NoEnvar().Help("Show this help; after a command, that of the command.")
	app.DefaultEnvars()
	app.UsageTemplate(usage).UsageFuncs(usageFuncs(app))
	kingpin.ManPageTemplate = manPage
	kingpin.BashCompletionTemplate = bashCompletion
	kingpin.ZshCompletionTemplate = zshCompletion
	l.flags(app)
	l.commands(app)
	return app
}

// validate finds values that make no sense.
func (l *Line) validate() error {
	switch {
	case l.MaxConcurrent < 1 || l.TimeoutOffset < 0:
		return errors.New("--probe.max-concurrent has to be at least 1 and --timeout-offset at least 0s")
	case l.ReloadInterval < 0:
		return errors.New("--config.auto-reload-interval has to be at least 0s")
	case l.ProbeInterval != notGiven && l.ProbeInterval != 0 && l.ProbeInterval < time.Second:
		return errors.New("--probe.interval has to be 0s, or at least 1s")
	case l.MaxRequests < 0:
		return errors.New("--web.max-requests has to be at least 0")
	}
	return nil
}

// positive is a duration of a flag that has to be more than 0s where it is given.
type positive struct {
	flag string
	d    *time.Duration
}

// Set implements [kingpin.Value].
func (p positive) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	if d <= 0 {
		return fmt.Errorf("%s has to be more than 0s", p.flag)
	}
	*p.d = d
	return nil
}

// String implements [kingpin.Value].
func (p positive) String() string { return p.d.String() }

// meant is the command that arguments are for which have a mistake in them, "" if that is
// not to be seen.
func meant(app *kingpin.Application, args []string) string {
	context, _ := app.ParseContext(args) // its error is known
	if context != nil && context.SelectedCommand != nil && context.SelectedCommand.FullCommand() != Serve {
		return context.SelectedCommand.FullCommand()
	}
	// A mistake before the command looks like one of the default command's.
	if slices.Contains(args, Probe) {
		return Probe
	}
	return ""
}
