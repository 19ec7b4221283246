package app

import (
	"context"
	"io"
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

// serve runs the daemon until ctx is done. It calls ready with its URL when it listens.
func serve(ctx context.Context, f *flags, source source, logTo io.Writer, ready func(url string)) error {
	signal.Ignore(syscall.SIGPIPE) // the reader of the log may end
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	logger, slogger, flush := logging.New(logTo, f.logFormat, f.logLevel)
	defer flush()
	for name, hint := range f.unknownVariables {
		_ = level.Warn(logger).Log("msg", "no flag has this variable of the environment; "+hint, "variable", name)
	}
	limitMemory(logger)
	hmpCollector := collector.New(collector.Options{
		MaxConcurrent: f.maxConcurrent,
		TimeoutOffset: f.timeoutOffset,
		Version:       f.askVersion,
		UserAgent:     version.ComponentUserAgent("hmp_exporter"),
		Logger:        logger,
	})
	defer hmpCollector.Close()
	store := config.NewStore(source.Load, func(c *config.Config) {
		setGCPercent(c.Sessions())
		hmpCollector.Apply(c)
	})
	reloader := &reloader{source: source, store: store, logger: logger}
	loaded := make(chan error, 1)
	go func() { loaded <- reloader.Reload() }() // a disk that hangs must not hold the end
	select {
	case err := <-loaded:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return nil
	}
	handler, err := web.New(web.Options{
		Collector:     hmpCollector,
		Store:         store,
		Reload:        reloader.Reload,
		Logger:        logger,
		TelemetryPath: f.telemetryPath,
		BaseURL:       f.baseURL,
		ProbeSessions: f.probeSessions,
		ProbeInterval: f.probeInterval,
		MaxRequests:   f.maxRequests,
		Lifecycle:     f.lifecycle,
		Pprof:         f.pprof,
	})
	if err != nil {
		return usageError{err} // the telemetry path
	}
	listeners, err := web.Listen(f.web)
	if err != nil {
		return err
	}

	var background sync.WaitGroup
	defer background.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.probeInterval > 0 {
		background.Go(func() { hmpCollector.ProbeEvery(ctx, f.probeInterval) })
	}

	_ = level.Info(logger).Log("msg", "starting hmp_exporter", "version", version.Info(), "build", version.BuildContext())
	// A reload that hangs must not hold the end, so nobody waits for it. After Close, Apply only
	// stores the configuration.
	go reloader.run(ctx, hangup, f.reloadInterval)
	ready(web.URL(listeners[0], f.web) + f.baseURL.Prefix)
	err = web.Serve(ctx, listeners, handler, f.web, slogger)
	_ = level.Info(logger).Log("msg", "stopped hmp_exporter")
	return err
}
