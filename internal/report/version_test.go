package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmpsim"
)

// TestVersionIsWaitedFor has an HMP take longer to tell its version than to confirm the
// session. All formats have the version.
func TestVersionIsWaitedFor(t *testing.T) {
	sim := hmpsim.New()
	sim.SetVersion(hmpsim.Delay(50*time.Millisecond, hmpsim.Version("4.1.1", "30242")))
	sim.SetToken("token", hmpsim.Valid(hmpsim.ExampleSession()))
	listening, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listening.Close)
	file := filepath.Join(t.TempDir(), "hmp.yml")
	text := "targets: [{name: studio, url: '" + listening.URL + "', sessions: [{name: playout, token: token}]}]"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{
		Table:   "studio: 4.1.1, build 30242",
		JSON:    `"version": "4.1.1"`,
		Metrics: `hmp_info{build="30242",version="4.1.1",target="studio"} 1`,
	} {
		var out strings.Builder
		c := Command{Options: Options{Config: cfg, MaxConcurrent: 1, Version: true, Logger: log.NewNopLogger()}, Format: format, Stdout: &out}
		if err := c.Run(t.Context()); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", format, err, out.String())
		}
	}
}
