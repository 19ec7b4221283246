package app

import (
	"strings"
	"testing"
	"time"
)

// TestExamples is that the program takes the command lines of its help.
func TestExamples(t *testing.T) {
	examples := 0
	for line := range strings.Lines(programHelp + serveHelp + checkHelp + probeHelp + demoHelp + healthcheckHelp) {
		_, args, ok := strings.Cut(line, "hmp_exporter ")
		if !ok || !strings.HasPrefix(line, "  ") {
			continue
		}
		args, _, _ = strings.Cut(args, "   ") // what it does
		args, _, _ = strings.Cut(args, " |")
		app := newApplication()
		new(flags).define(app)
		app.GetCommand(serveCommand).Default()
		if _, err := app.ParseContext(strings.Fields(args)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		examples++
	}
	if examples < 10 {
		t.Errorf("there are %d examples", examples)
	}
}

// TestIntervals is that the demo probes and reloads by itself, unless it is told not to.
func TestIntervals(t *testing.T) {
	for args, want := range map[string]struct{ probe, reload time.Duration }{
		"":                                      {0, 0},
		"serve --probe.interval=1m":             {time.Minute, 0},
		"demo":                                  {demoInterval, demoInterval},
		"demo --probe.interval=0s":              {0, demoInterval},
		"demo --config.auto-reload-interval=0s": {demoInterval, 0},
	} {
		if f, err := parse(strings.Fields(args)); err != nil || f.probeInterval != want.probe || f.reloadInterval != want.reload {
			t.Errorf("%q: %+v, %v, want %v", args, f, err, want)
		}
	}
	t.Setenv("HMP_EXPORTER_PROBE_INTERVAL", "0s")
	t.Setenv("HMP_EXPORTER_CONFIG_AUTO_RELOAD_INTERVAL", "0s")
	if f, err := parse([]string{"demo"}); err != nil || f.probeInterval != 0 || f.reloadInterval != 0 {
		t.Errorf("demo with variables: %+v, %v, want 0s", f, err)
	}
}
