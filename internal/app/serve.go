package app

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/web"
)

// serve runs the daemon until a signal ends it. When it can be asked, started is
// called with the address.
func serve(line *Line, source source, started func(url string)) error {
	ctx, stop := signalContext() // a second signal does not wait for scrapes
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // who reads the log may go away
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	logger, slogger, flush := logging.New(os.Stderr, line.LogFormat, line.LogLevel)
	defer flush()
	for _, v := range line.Unknown {
		_ = level.Warn(logger).Log("msg", "no flag has this variable of the environment; "+v.Hint, "variable", v.Name)
	}
	limitMemory(logger)
	sessions := collector.New(collector.Options{
		MaxConcurrent: line.MaxConcurrent,
		TimeoutOffset: line.TimeoutOffset,
		Version:       line.AskVersion,
		UserAgent:     version.ComponentUserAgent("hmp_exporter"),
		Logger:        logger,
	})
	defer sessions.Close()
	store := config.NewStore(source.Load, func(c *config.Config) {
		setGCPercent(c.Sessions())
		sessions.Apply(c)
	})
	reloader := &reloader{source, store, logger}
	if err := reloader.load(); err != nil {
		return err
	}
	location, err := web.NewLocation(line.ExternalURL, line.RoutePrefix)
	if err != nil {
		return err
	}
	handler, err := web.New(web.Options{
		Collector:     sessions,
		Store:         store,
		Reload:        reloader.reload,
		Logger:        logger,
		TelemetryPath: line.TelemetryPath,
		Location:      location,
		ProbeSessions: line.ProbeSessions,
		ProbeInterval: line.ProbeInterval,
		MaxRequests:   line.MaxRequests,
		Lifecycle:     line.Lifecycle,
		Pprof:         line.Pprof,
	})
	if err != nil {
		return err
	}
	listeners, err := web.Listen(line.Web)
	if err != nil {
		return err
	}

	var probing sync.WaitGroup
	defer probing.Wait()
	ctx, cancel := context.WithCancel(ctx) // what goes on beside the server ends with it
	defer cancel()
	if line.ProbeInterval > 0 {
		probing.Go(func() { sessions.ProbeEvery(ctx, line.ProbeInterval) })
	}

	_ = level.Info(logger).Log("msg", "starting hmp_exporter", "version", version.Info(), "build", version.BuildContext())
	go reloader.run(ctx, hangup, line.ReloadInterval)
	started(web.URL(listeners[0]) + location.Prefix)
	err = web.Serve(ctx, listeners, handler, line.Web, slogger)
	_ = level.Info(logger).Log("msg", "stopped hmp_exporter")
	return err
}
