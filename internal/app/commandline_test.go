package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The help of the program names every flag that is not hidden, once.
func TestHelpIsComplete(t *testing.T) {
	app := new(Line).application("version")
	app.Flag("unheard-of", "A flag of no group.").Bool()
	var listed []string
	for _, g := range groups(app.Model(), nil) {
		for _, f := range g.Flags {
			listed = append(listed, f.Name)
		}
	}
	seen := make(map[string]int)
	for _, name := range listed {
		seen[name]++
	}
	flags := shown(app.Model().Flags)
	for _, c := range app.Model().Commands {
		if !c.Hidden {
			flags = append(flags, shown(c.Flags)...)
		}
	}
	for _, f := range flags {
		if seen[f.Name] != 1 {
			t.Errorf("--%s is there %d times", f.Name, seen[f.Name])
		}
	}
	if len(flags) != len(listed) || len(flags) < 15 {
		t.Errorf("%d flags are listed, and there are %d", len(listed), len(flags))
	}
}

// Every command that people use has examples, which this very command line takes.
func TestExamples(t *testing.T) {
	for _, c := range new(Line).application("version").Model().Commands {
		if !c.Hidden && len(examples[c.Name]) == 0 {
			t.Errorf("%s has no example", c.Name)
		}
	}
	for command, lines := range examples {
		for _, line := range lines {
			line, _, _ = strings.Cut(line, "   ") // what it is for
			_, args, ok := strings.Cut(line, "hmp_exporter")
			args, _, _ = strings.Cut(args, " |")
			if _, err := new(Line).application("version").ParseContext(strings.Fields(args)); err != nil || !ok {
				t.Errorf("%s: %s: %v", command, line, err)
			}
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ args, command, want string }{
		{"probe --no", Probe, "unknown long flag '--no'"},
		{"--no probe", Probe, "unknown long flag '--no'"},
		{"probe a b c", Probe, "unexpected c"},
		{"check a probe", Check, "unexpected probe"},
		{"prob", "", "unexpected prob; did you mean probe?"},
		{"chek hmp.yml", "", "unexpected chek; did you mean check?"},
		{"healthchec", "", "unexpected healthchec"},
		{"--no", "", "unknown long flag '--no'"},
		{"probe --probe.max-concurrent=0", Probe, "--probe.max-concurrent has to be at least 1 and --timeout-offset at least 0s"},
		{"probe --timeout=0s", Probe, "--timeout has to be more than 0s"},
		{"probe --timeout=-1s", Probe, "--timeout has to be more than 0s"},
		{"check --scrape-interval=0s", Check, "--scrape-interval has to be more than 0s"},
		{"serve --config.auto-reload-interval=-1s", "", "--config.auto-reload-interval has to be at least 0s"},
		{"serve --probe.interval=5ms", "", "--probe.interval has to be 0s, or at least 1s"},
		{"serve --web.max-requests=-1", "", "--web.max-requests has to be at least 0"},
	} {
		line, err := Parse(strings.Fields(tt.args), "version", new(strings.Builder))
		if diff := cmp.Diff([]string{tt.command, strings.Replace(tt.want+"; see hmp_exporter --help", "?;", "?", 1)}, []string{line.Command, fmt.Sprint(err)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
	}
}

// The demo probes by itself, unless it is told not to.
func TestProbeInterval(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"": 0, "serve --probe.interval=1m": time.Minute, "demo": demoInterval, "demo --probe.interval=0s": 0,
	} {
		line, err := Parse(strings.Fields(args), "version", new(strings.Builder))
		if err != nil || line.ProbeInterval != want {
			t.Errorf("%q: %v, %v, want %v", args, line.ProbeInterval, err, want)
		}
	}
}

func TestRoff(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"--log.level", `\-\-log.level`},
		{`.TH it's a \ trick`, `\&.TH it\(aqs a \e trick`},
		{"'tis", `\(aqtis`},
	} {
		if got := roff(tt.text); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
