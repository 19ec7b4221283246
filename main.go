// Command hmp_exporter watches sessions of service tokens on Haivision Media
// Platforms (HMP) for Prometheus. See README.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/web"
)

func main() {
	stdlog.SetOutput(io.Discard) // net/http writes there what an HMP sends unasked, secrets and all
	if version.Version == "" {
		version.Version = buildVersion()
	}
	app := kingpin.New("hmp_exporter", "Watches sessions of service tokens on Haivision Media Platforms (HMP) for Prometheus.")
	app.Version(version.Print("hmp_exporter")).VersionFlag.Short('v')
	app.HelpFlag.Short('h')
	app.UsageWriter(os.Stdout)
	app.DefaultEnvars()

	var p program
	app.Flag("config.file", "Configuration file. Without one, HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE configure a single HMP.").PlaceHolder(`"hmp.yml"`).StringVar(&p.configFile)
	p.webFlags = kingpinflag.AddFlags(app, ":10042")
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&p.web.TelemetryPath)
	app.Flag("web.enable-lifecycle", "Allow POST /-/reload. SIGHUP reloads in any case.").BoolVar(&p.web.Lifecycle)
	app.Flag("web.enable-pprof", "Serve profiles of this program under /debug/pprof/.").BoolVar(&p.web.Pprof)
	app.Flag("web.max-requests", "Scrapes to answer at once; more get a 503. 0 for any number.").Default("40").IntVar(&p.web.MaxRequests)
	app.Flag("collector.sessions", "Probe every session for the telemetry path. Without it, only /probe does.").Default("true").BoolVar(&p.web.ProbeSessions)
	app.Flag("timeout-offset", "How much earlier than the scrape's timeout its probes end.").Default("500ms").DurationVar(&p.collector.TimeoutOffset)
	app.Flag("probe.max-concurrent", "Probes to make at once, of all scrapes.").Default("256").IntVar(&p.collector.MaxConcurrent)
	app.Flag("log.level", "Least severe messages to log.").Default("info").EnumVar(&p.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log.").Default("logfmt").EnumVar(&p.logFormat, "logfmt", "json")

	serve := app.Command("serve", "Answer Prometheus until SIGTERM. The default command.").Default()
	check := app.Command("check", "Load the configuration and the secret files, and show what would be probed. Sends nothing.")
	demo := app.Command("demo", "Serve a simulated fleet of HMPs that runs inside this program. Needs no configuration.")
	health := app.Command("healthcheck", "Ask a running exporter whether it is healthy.").Hidden()
	healthURL := health.Flag("url", "What to ask.").Default("http://127.0.0.1:10042/-/healthy").String()

	command, err := app.Parse(os.Args[1:])
	if err == nil {
		switch command {
		case serve.FullCommand():
			err = p.serve(p.load, func(string) {})
		case check.FullCommand():
			err = p.check(os.Stdout)
		case demo.FullCommand():
			err = p.demo(os.Stdout)
		case health.FullCommand():
			err = web.Healthcheck(context.Background(), *healthURL)
		}
	} else {
		err = fmt.Errorf("%w; see hmp_exporter --help", err)
	}
	if err != nil {
		// Errors of a configuration begin with file and line, as editors like them.
		if _, ok := errors.AsType[config.Errors](err); !ok {
			err = fmt.Errorf("hmp_exporter: %w", err)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A program is what the flags make of it.
type program struct {
	configFile          string // "" if none was named
	logLevel, logFormat string
	webFlags            *toolkit.FlagConfig
	web                 web.Options
	collector           collector.Options
}

// load reads the configuration that the flags and the environment choose.
func (p *program) load() (*config.Config, error) {
	file := cmp.Or(p.configFile, "hmp.yml")
	if !config.InEnvironment(os.Getenv) {
		return config.Load(file)
	}
	if _, err := os.Stat(file); p.configFile != "" || err == nil {
		return nil, fmt.Errorf("there are two configurations, %s and HMP_ variables in the environment: take one away", file)
	}
	return config.FromEnvironment(os.Getenv)
}

func (p *program) check(w io.Writer) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	if err := cfg.Summary(w); err != nil {
		return err
	}
	return cfg.CheckSecrets()
}

func (p *program) demo(w io.Writer) error {
	dir, err := os.MkdirTemp("", "hmp_exporter-demo-")
	if err != nil {
		return fmt.Errorf("failed to make a directory for the demo: %w; set TMPDIR to one that is writable", err)
	}
	defer os.RemoveAll(dir)
	sim, err := hmpsim.StartDemo(dir, hmpsim.DemoOptions{})
	if err != nil {
		return err
	}
	defer sim.Close()
	load := func() (*config.Config, error) { return config.Load(sim.ConfigFile()) }
	return p.serve(load, func(url string) {
		fmt.Fprintf(w, "%d simulated HMPs are running, and their sessions tell this story:\n\n  %s\n\n", sim.HMPs(), strings.Join(sim.Story(), "\n  "))
		fmt.Fprintf(w, "Open %s/ for the sessions,\n     %[1]s%s for what Prometheus scrapes,\n     %[1]s/probe?target=studio for one target.\nCtrl-C ends the demo.\n", url, p.web.TelemetryPath)
	})
}

// serve runs the daemon until a signal ends it. When it can be asked, started is
// called with the address.
func (p *program) serve(load func() (*config.Config, error), started func(url string)) error {
	if p.collector.MaxConcurrent < 1 || p.collector.TimeoutOffset < 0 {
		return errors.New("--probe.max-concurrent has to be at least 1 and --timeout-offset at least 0s")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)   // a second signal does not wait for scrapes
	signal.Ignore(syscall.SIGPIPE) // who reads the log may go away
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	logger, slogger, flush := logging.New(os.Stderr, p.logFormat, p.logLevel)
	defer flush()
	tuneGarbageCollector(logger)
	p.collector.Logger, p.web.Logger = logger, logger
	p.collector.UserAgent = version.ComponentUserAgent("hmp_exporter")
	sessions := collector.New(p.collector)
	defer sessions.Close()
	store := config.NewStore(load, sessions.Apply)
	if err := store.Reload(); err != nil {
		return err
	}
	p.web.Collector, p.web.Store = sessions, store
	p.web.Reload = func() error {
		err := store.Reload()
		if err != nil {
			_ = level.Error(logger).Log("msg", "failed to reload the configuration; the old one stays", "err", err)
		} else {
			_ = level.Info(logger).Log("msg", "reloaded the configuration")
		}
		return err
	}
	handler, err := web.New(p.web)
	if err != nil {
		return err
	}
	listeners, err := web.Listen(p.webFlags)
	if err != nil {
		return err
	}

	_ = level.Info(logger).Log("msg", "starting hmp_exporter", "version", version.Info(), "build", version.BuildContext())
	go func() {
		for {
			select {
			case <-hangup:
				_ = p.web.Reload()
			case <-ctx.Done():
				return
			}
		}
	}()
	started(web.URL(listeners[0]))
	err = web.Serve(ctx, listeners, handler, p.webFlags, slogger)
	_ = level.Info(logger).Log("msg", "stopped hmp_exporter")
	return err
}

// gcPercent is how much the garbage may be to what is in use, in percent: twice as much
// as by default. What is in use is little, so that this costs few megabytes, and takes
// a tenth off what a probe costs.
const gcPercent = 200

// tuneGarbageCollector has the garbage collector run less often, but keep within nine tenths
// of the memory that the container may have, unless GOGC and GOMEMLIMIT say otherwise.
// The runtime itself keeps to the container's processors.
func tuneGarbageCollector(logger log.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit, err := memlimit.ApplyRatio(memlimit.FromCgroup, 0.9)()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit):
	case err != nil:
		_ = level.Debug(logger).Log("msg", "the memory of the container is not known", "err", err)
	case limit < math.MaxInt64:
		debug.SetMemoryLimit(int64(limit))
		_ = level.Info(logger).Log("msg", "limited the memory", "bytes", limit)
	}
}

// buildVersion is for binaries that were built without the Makefile.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "devel"
}
