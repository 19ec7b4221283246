package app

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"hmp_exporter/config"
	"hmp_exporter/internal/web"
)

// The commands.
const (
	serveCommand       = "serve"
	checkCommand       = "check"
	probeCommand       = "probe"
	demoCommand        = "demo"
	healthcheckCommand = "healthcheck"
)

// demoInterval is how often the demo probes. Its shortest state lasts 25 s.
const demoInterval = 10 * time.Second

// notGiven is a duration that neither the command line nor the environment sets, where 0s is
// different. Kingpin's IsSetByUser does not know the environment.
const notGiven time.Duration = math.MinInt64

// flags are the command, its arguments and all flags.
type flags struct {
	command string

	configFile          string        // "" if none was named
	reloadInterval      time.Duration // 0 for never
	logLevel, logFormat string

	web           *toolkit.FlagConfig
	telemetryPath string
	externalURL   string
	routePrefix   string
	baseURL       web.BaseURL // from the two
	lifecycle     bool
	pprof         bool
	maxRequests   int

	probeSessions bool
	askVersion    bool
	timeoutOffset time.Duration
	maxConcurrent int
	probeInterval time.Duration // 0: only scrapes probe

	strict, syntaxOnly bool          // of check
	target, session    string        // of probe; "" for all
	output             string        // of probe
	timeout            time.Duration // of probe; not above 0 for the timeouts of the configuration
	healthURL          string        // of healthcheck; "" for where the flags make serve listen

	unknownVariables map[string]string // like those of flags, with a hint
}

// parse parses a command line. Kingpin ends the process if it asks for help, the version, the
// man page or completion.
func parse(args []string) (*flags, error) {
	f := &flags{probeInterval: notGiven, timeout: notGiven}
	app := newApplication()
	f.define(app)
	if !slices.Contains(args, "--completion-bash") { // with a default command, kingpin completes no command
		app.GetCommand(serveCommand).Default()
	}
	command, err := app.Parse(args)
	if err == nil {
		f.command = command
		err = f.validate()
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%s%w; %ssee hmp_exporter --help", wrongVariable(app, args, err), err, nearestCommand(app, err))}
	}
	f.unknownVariables = unknownVariables(app, os.Environ())
	return f, nil
}

// define defines all flags and commands.
func (f *flags) define(app *kingpin.Application) {
	app.Version(version.Print("hmp_exporter")).VersionFlag.Short('v').NoEnvar()
	app.HelpFlag.Short('h').NoEnvar()

	app.Flag("config.file", "Configuration file. Without one, HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE "+
		"in the environment configure a single HMP.").
		PlaceHolder(`"hmp.yml"`).StringVar(&f.configFile)
	app.Flag("config.auto-reload-interval", "How often to compare the files of the configuration with what is loaded. "+
		"If they have changed, the exporter reloads. 0s: only SIGHUP and POST /-/reload reload.").
		Default("0s").DurationVar(&f.reloadInterval)

	f.web = kingpinflag.AddFlags(app, ":10042")
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.external-url", "The URL under which browsers reach the exporter, such as https://proxy.example/hmp/ behind a proxy. "+
		"Its path is the default of --web.route-prefix.").PlaceHolder("URL").StringVar(&f.externalURL)
	app.Flag("web.route-prefix", "Prefix of all paths, --web.telemetry-path included. / if a proxy removes the path of the external URL.").
		PlaceHolder("PATH").StringVar(&f.routePrefix)
	app.Flag("web.enable-lifecycle", "Allow POST /-/reload. SIGHUP reloads in any case.").BoolVar(&f.lifecycle)
	app.Flag("web.enable-pprof", "Serve profiles of this program under /debug/pprof/.").BoolVar(&f.pprof)
	app.Flag("web.max-requests", "Maximum number of concurrent scrapes, of the telemetry path and of each target by itself. "+
		"More get a 503. 0: no limit.").Default("40").IntVar(&f.maxRequests)
	app.Flag("collector.sessions", "Probe every session for the telemetry path. Without it, only /probe does.").Default("true").BoolVar(&f.probeSessions)
	app.Flag("collector.version", "Ask each HMP for its version, every 15 minutes and after a restart.").Default("true").BoolVar(&f.askVersion)
	app.Flag("timeout-offset", "Offset to subtract from the timeout of a scrape.").Default("500ms").DurationVar(&f.timeoutOffset)
	app.Flag("probe.max-concurrent", "Maximum number of concurrent probes, of all scrapes together.").Default("256").IntVar(&f.maxConcurrent)
	app.Flag("probe.interval", "How often to probe every session without a scrape, for the status page, the history and the log. "+
		"0s: only scrapes probe. The demo's default is 10s.").
		PlaceHolder("0s").DurationVar(&f.probeInterval)

	app.Flag("log.level", "Minimum log level: debug, info, warn or error.").Default("info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Log format: logfmt or json.").Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")

	app.Command(serveCommand, "Answer Prometheus until SIGTERM. This is the default command.").HelpLong(serveHelp)

	check := app.Command(checkCommand, "Load the configuration and the secret files. Show what the exporter would probe, and warnings. Send nothing.").
		HelpLong(checkHelp)
	check.Arg("file", "The configuration file, in place of --config.file.").PlaceHolder("FILE").StringVar(&f.configFile)
	check.Flag("syntax-only", "Open no secret, CA or key file.").BoolVar(&f.syntaxOnly)
	check.Flag("strict", "Fail if there are warnings.").BoolVar(&f.strict)

	probe := app.Command(probeCommand, "Probe now: all sessions, the sessions of a target, or one session. A session with an API key logs in.").
		HelpLong(probeHelp)
	probe.Arg("target", "A configured target.").PlaceHolder("TARGET").HintAction(f.targetNames).StringVar(&f.target)
	probe.Arg("session", "A session of the target.").PlaceHolder("SESSION").HintAction(f.sessionNames).StringVar(&f.session)
	probe.Flag("output", "Output format: table, json or metrics.").Short('o').Default(outputs[0]).EnumVar(&f.output, outputs...)
	probe.Flag("timeout", "Maximum duration of the command, such as 5s. It cannot lengthen the timeouts of the configuration.").
		PlaceHolder("DURATION").DurationVar(&f.timeout)

	app.Command(demoCommand, "Serve simulated HMPs that run inside this program. Needs no configuration.").HelpLong(demoHelp)

	health := app.Command(healthcheckCommand, "Ask a running exporter whether it is healthy. Take its address from the flags, the environment "+
		"and the web configuration.").HelpLong(healthcheckHelp)
	health.Flag("url", "The URL to ask instead.").StringVar(&f.healthURL)
}

// validate finds values that make no sense.
func (f *flags) validate() (err error) {
	if f.probeInterval == notGiven {
		f.probeInterval = 0
		if f.command == demoCommand {
			f.probeInterval = demoInterval
		}
	}
	switch {
	case f.maxConcurrent < 1:
		return errors.New("--probe.max-concurrent must be at least 1")
	case f.timeoutOffset < 0:
		return errors.New("--timeout-offset must be at least 0s")
	case f.reloadInterval < 0:
		return errors.New("--config.auto-reload-interval must be at least 0s")
	case f.probeInterval != 0 && f.probeInterval < time.Second:
		return errors.New("--probe.interval must be 0s or at least 1s")
	case f.maxRequests < 0:
		return errors.New("--web.max-requests must be at least 0")
	case f.timeout <= 0 && f.timeout != notGiven:
		return errors.New("--timeout must be more than 0s")
	}
	f.baseURL, err = web.NewBaseURL(f.externalURL, f.routePrefix)
	return err
}

// variables returns all flags by their environment variable.
func variables(app *kingpin.Application) map[string]*kingpin.FlagModel {
	all := make(map[string]*kingpin.FlagModel)
	groups := []*kingpin.FlagGroupModel{app.Model().FlagGroupModel}
	for _, c := range app.Model().Commands {
		groups = append(groups, c.FlagGroupModel)
	}
	for _, group := range groups {
		for _, f := range group.Flags {
			if f.Envar != "" {
				all[f.Envar] = f
			}
		}
	}
	return all
}

// wrongVariable returns the name of the variable whose value caused an error of kingpin,
// which does not name it. It returns "" if the error is about something else.
func wrongVariable(app *kingpin.Application, args []string, err error) string {
	for name, f := range variables(app) {
		value, flag := os.Getenv(name), "--"+f.Name
		isFlag := func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") }
		if value == "" || slices.ContainsFunc(args, isFlag) {
			continue
		}
		if wrong := f.Value.Set(value); wrong != nil && wrong.Error() == err.Error() || strings.Contains(err.Error(), flag+" ") {
			return name + ": "
		}
	}
	return ""
}

// kubernetesVariable matches what Kubernetes sets for a Service named hmp-exporter.
var kubernetesVariable = regexp.MustCompile(`^HMP_EXPORTER_(SERVICE_.*|PORT(_.*)?)$`)

// unknownVariables returns the variables that look like those of flags and belong to none.
func unknownVariables(app *kingpin.Application, environ []string) map[string]string {
	known := variables(app)
	unknown := make(map[string]string)
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "HMP_EXPORTER_") || known[name] != nil || kubernetesVariable.MatchString(name) {
			continue
		}
		unknown[name] = "see hmp_exporter --help"
		if nearest := config.Nearest(name, slices.Sorted(maps.Keys(known))); nearest != "" {
			unknown[name] = "did you mean " + nearest + "?"
		}
	}
	return unknown
}

// nearestCommand returns a hint for an argument that is probably a misspelt command.
func nearestCommand(app *kingpin.Application, err error) string {
	word, ok := strings.CutPrefix(err.Error(), "unexpected ")
	var names []string
	for _, c := range app.Model().Commands {
		names = append(names, c.Name)
	}
	if nearest := config.Nearest(word, names); ok && nearest != "" && nearest != word {
		return "did you mean " + nearest + "? "
	}
	return ""
}
