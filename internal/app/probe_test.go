package app

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

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
