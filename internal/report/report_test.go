package report

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-kit/log"

	"hmp_exporter/config"
)

// TestInterrupted is that what has come until a signal is told: here nothing, from an HMP
// that accepts connections and is silent.
func TestInterrupted(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	text := "targets: [{name: studio, url: 'http://" + silent.Addr().String() + "', timeout: 1s, sessions: [{name: playout, token: CANARY}]}]"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out, progress strings.Builder
	c := Command{
		Options: Options{Config: cfg, MaxConcurrent: 1, Logger: log.NewNopLogger()},
		Format:  Table, Stdout: &out, Progress: writerFunc(func(b []byte) (int, error) {
			defer cancel()
			return progress.Write(b)
		}),
	}
	if err := c.Run(ctx); err != ErrNotValid { //nolint:errorlint // it says all
		t.Errorf("it ended with %v", err)
	}
	if !strings.HasPrefix(out.String(), "HMP INTERRUPTED: 0 of 1 sessions valid in ") || !strings.Contains(out.String(), "; not probed: studio/playout\n") {
		t.Errorf("it wrote\n%s", &out)
	}
	if got := progress.String(); !strings.HasPrefix(got, "\r0 of 1 answered, ") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("the progress is %q", got)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
