package app

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/logging"
)

// startSimulation starts the HMPs of the demo. What goes wrong with them later is logged.
func startSimulation(dir string, logger log.Logger, speed float64) (*hmpsim.Demo, error) {
	return hmpsim.StartDemo(dir, hmpsim.DemoOptions{Speed: speed, Report: func(err error) {
		_ = level.Error(logger).Log("msg", "the demo cannot go on as it should", "err", err)
	}})
}

// demo serves with simulated HMPs.
func demo(f *flags) error {
	dir, err := os.MkdirTemp("", "hmp_exporter-demo-")
	if err != nil {
		return fmt.Errorf("failed to make a directory for the demo: %w; set TMPDIR to one that is writable", err)
	}
	defer os.RemoveAll(dir)
	logger, _, flush := logging.New(os.Stderr, f.logFormat, f.logLevel)
	defer flush()
	sim, err := startSimulation(dir, logger, 1)
	if err != nil {
		return err
	}
	defer sim.Close()
	source := &config.Source{File: sim.ConfigFile(), Getenv: func(string) string { return "" }}
	ctx, stop := signalContext()
	defer stop()
	return serve(ctx, f, source, os.Stderr, func(url string) {
		fmt.Printf("%s. Their sessions tell this story:\n\n  %s\n\n", sim.Size(), strings.Join(sim.Story(), "\n  "))
		fmt.Printf("Open %s/ for the sessions,\n     %[1]s%s for what Prometheus scrapes,\n     %[1]s/probe?target=studio for one target.\nCtrl-C ends the demo.\n", url, f.telemetryPath)
	})
}
