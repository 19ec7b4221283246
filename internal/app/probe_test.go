package app

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestProbeInterrupted is that Ctrl-C ends a probe at once. The output has the results so far
// and the names of the other sessions.
func TestProbeInterrupted(t *testing.T) {
	for _, tt := range []struct{ output, stdout, stderr string }{
		{"table", "HMP INTERRUPTED: ", ""},
		{"json", `"stopped": "interrupted"`, "hmp_exporter: not all sessions are valid: not probed: "},
		{"metrics", "", "hmp_exporter: not all sessions are valid: not probed: "},
	} {
		t.Run(tt.output, func(t *testing.T) {
			hmp := hmpsim.New()
			hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
			hmp.SetToken(canary.Word+"-hung", hmpsim.Hang())
			var stdout, stderr strings.Builder
			cmd := exec.Command("hmp_exporter", "probe", "--config.file="+exportertest.Configure(t, hmp, "playout", "hung"), "--output="+tt.output)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			exportertest.WaitFor(t, "both sessions to be asked for", func() bool {
				asked := hmp.Stats().Accounts
				return asked[canary.Word+"-playout"].GETs == 1 && asked[canary.Word+"-hung"].InFlight == 1
			})
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("it ended with %d", code)
			}
			said := stdout.String() + stderr.String()
			if !strings.Contains(stdout.String(), tt.stdout) || !strings.HasPrefix(stderr.String(), tt.stderr) || !strings.Contains(said, "studio/hung") {
				t.Errorf("got\n%s\nand\n%s", stdout.String(), stderr.String())
			}
			if strings.Contains(stdout.String(), `session="hung"`) {
				t.Errorf("there is a metric of a session that was not probed:\n%s", stdout.String())
			}
			canary.Check(t, "the output", said)
		})
	}
}

// TestInterruptedAfterLastResult is that a probe is not interrupted if all sessions have a result.
func TestInterruptedAfterLastResult(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	hmp.SetToken(canary.Word+"-archive", hmpsim.NoRoles())
	cfg, err := (&config.Source{File: exportertest.Configure(t, hmp, "playout", "archive")}).Load()
	if err != nil {
		t.Fatal(err)
	}
	c := collector.New(collector.Options{MaxConcurrent: 1, Logger: log.NewNopLogger()})
	defer c.Close()
	c.Apply(cfg)
	one, all := &flags{target: "studio", session: "playout"}, &flags{}
	for _, step := range []struct {
		probed   collector.Request
		one, all bool // whether each is interrupted after that
	}{
		{collector.Request{Target: "studio", Session: "playout"}, false, true},
		{collector.Request{}, false, false},
	} {
		if _, err := c.Probe(step.probed); err != nil {
			t.Fatal(err)
		}
		results, isOne := resultsSoFar(one, c)
		_, isAll := resultsSoFar(all, c)
		if len(results) != 1 || isOne != step.one || isAll != step.all {
			t.Errorf("after a probe of %v: %d results, interrupted %v and %v", step.probed, len(results), isOne, isAll)
		}
	}
}

// TestUnknownNames has names that are not configured, some of them hostile. probe.txtar has
// misspelt names.
func TestUnknownNames(t *testing.T) {
	many := strings.Fields("s00 s01 s02 s03 s04 s05 s06 s07 s08 s09 s10 s11 s12 s13 s14 s15 s16 s17 s18 s19 s20 s21 s22 s23 s24")
	target := &config.Target{Name: "studio"}
	for _, name := range many {
		target.Sessions = append(target.Sessions, &config.Session{Name: name})
	}
	c := &config.Config{Targets: []*config.Target{target}}
	for _, tt := range []struct{ target, session, want string }{
		{"nowhere\x1b[2J", "", `unknown target "nowhere\x1b[2J"; there is studio`},
		{strings.Repeat("a", 300), "", `unknown target "` + strings.Repeat("a", 100) + `"; there is studio`},
		{"studio", "x", `unknown session "x" of target studio; there is ` + strings.Join(many[:20], ", ") + " and 5 more"},
	} {
		if _, err := checkNames(c, tt.target, tt.session); fmt.Sprint(err) != tt.want {
			t.Errorf("%s %s: got %v, want %s", tt.target, tt.session, err, tt.want)
		}
	}
}
