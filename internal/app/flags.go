package app

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"golang.org/x/term"

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

// notGiven is the value of a duration that neither the command line nor the environment sets,
// where 0s means something else. Kingpin's IsSetByUser does not know the environment.
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
	baseURL       web.BaseURL // from externalURL and routePrefix
	lifecycle     bool
	pprof         bool
	maxRequests   int

	probeSessions bool
	askVersion    bool
	timeoutOffset time.Duration
	maxConcurrent int
	probeInterval time.Duration // 0 for only at scrapes

	strict, syntaxOnly bool          // of check
	target, session    string        // of probe; "" for all
	output             string        // of probe
	timeout            time.Duration // of probe; notGiven for the timeouts of the configuration
	healthURL          string        // of healthcheck; "" for where the flags make serve listen

	unknownVariables map[string]string // a hint for each variable HMP_EXPORTER_… that no flag has
}

// parse parses a command line. Kingpin ends the process if it asks for help, the version, the
// man page or completion.
func parse(args []string) (*flags, error) {
	f := &flags{reloadInterval: notGiven, probeInterval: notGiven, timeout: notGiven}
	app := newApplication()
	f.define(app)
	if slices.Contains(args, "--completion-bash") {
		args = separateValues(args)
	} else {
		app.GetCommand(serveCommand).Default() // with a default command, kingpin completes no command
	}
	command, err := app.Parse(args)
	if err == nil {
		f.command = command
		err = f.validate()
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%s%w; %ssee hmp_exporter --help", sourceOf(app, args, err), err, nearestCommand(app, err))}
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
		"If they have changed, the exporter reloads. 0s: only SIGHUP and POST /-/reload reload. The demo's default is 10s.").
		PlaceHolder("0s").DurationVar(&f.reloadInterval)

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

	app.Flag("log.level", "Minimum log level: debug, info, warn or error. The default is error for probe, and for the demo on a terminal.").
		PlaceHolder("info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Log format: logfmt or json.").Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")

	app.Command(serveCommand, "Answer Prometheus until SIGTERM. This is the default command.").HelpLong(serveHelp)

	check := app.Command(checkCommand, "Load the configuration and the secret files. Show what the exporter would probe, and warnings. Send nothing.").
		HelpLong(checkHelp)
	check.Arg("file", "The configuration file, in place of --config.file.").PlaceHolder("FILE").StringVar(&f.configFile)
	check.Flag("syntax-only", "Open no secret, CA or key file.").BoolVar(&f.syntaxOnly)
	check.Flag("strict", "Fail if there are warnings.").BoolVar(&f.strict)

	probe := app.Command(probeCommand, "Probe now: all sessions, the sessions of a target, or one session. A session with an API key logs in.").
		HelpLong(probeHelp)
	probe.Arg("target", "A configured target.").PlaceHolder("TARGET").HintAction(f.targetNames).
		Action(notEmpty("target", &f.target)).StringVar(&f.target)
	probe.Arg("session", "A session of the target.").PlaceHolder("SESSION").HintAction(f.sessionNames).
		Action(notEmpty("session", &f.session)).StringVar(&f.session)
	probe.Flag("output", "Output format: table, json or metrics.").Short('o').Default(outputs[0]).EnumVar(&f.output, outputs...)
	probe.Flag("timeout", "Maximum duration of the command, such as 5s. It cannot lengthen the timeouts of the configuration.").
		PlaceHolder("DURATION").DurationVar(&f.timeout)

	app.Command(demoCommand, "Serve simulated HMPs that run inside this program. Needs no configuration.").HelpLong(demoHelp)

	health := app.Command(healthcheckCommand, "Ask a running exporter whether it is healthy. Take its address from the flags, the environment "+
		"and the web configuration.").HelpLong(healthcheckHelp)
	health.Flag("url", "The URL to ask instead.").StringVar(&f.healthURL)
}

// notEmpty returns an error for an argument that was given and is empty. It is probably a variable
// of a shell that is not set, and must not stand for all targets or sessions.
func notEmpty(name string, value *string) kingpin.Action {
	return func(*kingpin.ParseContext) error {
		if *value == "" {
			return fmt.Errorf("the %s is empty; name one, or leave out the argument to probe all", name)
		}
		return nil
	}
}

// setDefaults sets the defaults that depend on the command.
func (f *flags) setDefaults() {
	interval, level := time.Duration(0), "info"
	switch f.command {
	case probeCommand:
		level = "error" // the output has what the log would say of the results
	case demoCommand:
		interval = demoInterval
		if term.IsTerminal(int(os.Stderr.Fd())) {
			level = "error" // the log would hide what the demo prints
		}
	}
	for _, given := range []*time.Duration{&f.probeInterval, &f.reloadInterval} {
		if *given == notGiven {
			*given = interval
		}
	}
	f.logLevel = cmp.Or(f.logLevel, level)
}

// validate checks the values of the flags.
func (f *flags) validate() (err error) {
	f.setDefaults()
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
