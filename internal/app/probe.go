package app

import (
	"os"

	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"golang.org/x/term"

	"hmp_exporter/config"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/report"
)

// runProbe probes sessions once and prints their results.
func runProbe(line *Line, load func() (*config.Config, error)) error {
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
	ctx, stop := signalContext()
	defer stop()
	c := report.Command{
		Options: report.Options{
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
