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

// TestProbeInterval is that the demo probes by itself, unless it is told not to.
func TestProbeInterval(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"": 0, "serve --probe.interval=1m": time.Minute, "demo": demoInterval, "demo --probe.interval=0s": 0,
	} {
		if f, err := parse(strings.Fields(args)); err != nil || f.probeInterval != want {
			t.Errorf("%q: %v, want %v", args, err, want)
		}
	}
	t.Setenv("HMP_EXPORTER_PROBE_INTERVAL", "0s")
	if f, err := parse([]string{"demo"}); err != nil || f.probeInterval != 0 {
		t.Errorf("demo with a variable: %v, %v, want 0s", f, err)
	}
}
