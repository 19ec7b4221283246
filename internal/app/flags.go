package app

import (
	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"hmp_exporter/internal/report"
)

const about = "Watches sessions of service tokens on Haivision Media Platforms (HMP) for Prometheus."

// flags defines those that all commands take.
func (l *Line) flags(app *kingpin.Application) {
	app.Flag("config.file", "Configuration file. Without one, HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE "+
		"in the environment configure a single HMP.").
		PlaceHolder(`"hmp.yml"`).StringVar(&l.ConfigFile)
	app.Flag("config.auto-reload-interval", "How often to compare the configuration, and the target files and CA files that it names, "+
		"with what is loaded, and to load a change. 0s: only SIGHUP and POST /-/reload load it.").
		Default("0s").DurationVar(&l.ReloadInterval)

	l.Web = kingpinflag.AddFlags(app, ":10042")
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&l.TelemetryPath)
	app.Flag("web.external-url", "The URL under which browsers reach the exporter, such as https://proxy.example/hmp/ behind a proxy. "+
		"Its path is the default of --web.route-prefix.").PlaceHolder("URL").StringVar(&l.ExternalURL)
	app.Flag("web.route-prefix", "Prefix of all paths, --web.telemetry-path included. / if a proxy removes the path of the external URL.").
		PlaceHolder("PATH").StringVar(&l.RoutePrefix)
	app.Flag("web.enable-lifecycle", "Allow POST /-/reload. SIGHUP reloads in any case.").BoolVar(&l.Lifecycle)
	app.Flag("web.enable-pprof", "Serve profiles of this program under /debug/pprof/.").BoolVar(&l.Pprof)
	app.Flag("web.max-requests", "Scrapes to answer at once, of the telemetry path and of each target by itself; more get a 503. 0 for any number.").Default("40").IntVar(&l.MaxRequests)
	app.Flag("collector.sessions", "Probe every session for the telemetry path. Without it, only /probe does.").Default("true").BoolVar(&l.ProbeSessions)
	app.Flag("collector.version", "Ask each HMP for its version, every 15 minutes and after a restart.").Default("true").BoolVar(&l.AskVersion)
	app.Flag("timeout-offset", "How much earlier than the scrape's timeout its probes end.").Default("500ms").DurationVar(&l.TimeoutOffset)

	app.Flag("probe.max-concurrent", "Probes to make at once, of all scrapes.").Default("256").IntVar(&l.MaxConcurrent)

	app.Flag("probe.interval", "How often to probe every session without a scrape, for the status page, the history and the log. "+
		"0s: only scrapes probe. 10s for the demo.").PlaceHolder("0s").DurationVar(&l.ProbeInterval)

	app.Flag("log.level", "Least severe messages to log.").Default("info").EnumVar(&l.LogLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log.").Default("logfmt").EnumVar(&l.LogFormat, "logfmt", "json")
}

// commands defines them, with what only one of them takes.
func (l *Line) commands(app *kingpin.Application) {
	app.Command(Serve, "Answer Prometheus until SIGTERM. The default command.").Default()

	check := app.Command(Check, "Load the configuration and the secret files, and show what would be probed and what is "+
		"unwise. Sends nothing.")
	check.Arg("file", "The configuration file, in place of --config.file.").PlaceHolder("FILE").StringVar(&l.ConfigFile)
	check.Flag("syntax-only", "Open no file of a secret, CA or key, as where there are none.").BoolVar(&l.Check.SyntaxOnly)
	check.Flag("strict", "Fail for warnings too.").BoolVar(&l.Check.Strict)
	check.Flag("scrape-interval", "How often Prometheus scrapes, such as 30s: warn if timeouts and lifetimes of tokens do not go with that.").
		PlaceHolder("DURATION").SetValue(positive{"--scrape-interval", &l.Check.ScrapeInterval})

	p := app.Command(Probe, "Probe now: all sessions, those of a target, or one. A session with an API key logs in.")
	p.Arg("target", "A configured target.").PlaceHolder("TARGET").HintAction(l.targets).StringVar(&l.Probe.Target)
	p.Arg("session", "A session of the target.").PlaceHolder("SESSION").HintAction(l.sessions).StringVar(&l.Probe.Session)
	p.Flag("output", "Form of the output: table, json or metrics.").Short('o').
		Default(report.Formats[0]).EnumVar(&l.Probe.Output, report.Formats...)
	p.Flag("timeout", "Most time for the whole, such as 5s. The timeouts of the configuration hold in any case.").
		PlaceHolder("DURATION").SetValue(positive{"--timeout", &l.Probe.Timeout})

	app.Command(Demo, "Serve a simulated fleet of HMPs that runs inside this program. Needs no configuration.")

	health := app.Command(Healthcheck, "Ask a running exporter whether it is healthy: where these flags, the environment "+
		"and the web configuration have it listen.").Hidden()
	health.Flag("url", "What to ask instead.").StringVar(&l.HealthURL)
}
