package report

import (
	"context"
	"fmt"
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

// TestUnknownNames has names that are not configured.
func TestUnknownNames(t *testing.T) {
	many := strings.Fields("s00 s01 s02 s03 s04 s05 s06 s07 s08 s09 s10 s11 s12 s13 s14 s15 s16 s17 s18 s19 s20 s21 s22 s23 s24")
	c := &config.Config{Targets: []*config.Target{{Name: "many"}, {Name: "studio"}}}
	for i, sessions := range [][]string{many, {"playout", "archive"}} {
		for _, s := range sessions {
			c.Targets[i].Sessions = append(c.Targets[i].Sessions, &config.Session{Name: s})
		}
	}
	for _, tt := range []struct {
		target, session string
		want            string // how many sessions, and the error
	}{
		{"", "", "27 <nil>"},
		{"studio", "", "2 <nil>"},
		{"studio", "archive", "1 <nil>"},
		{"Stduio", "", `0 unknown target "Stduio"; did you mean studio? there is many, studio`},
		{"nowhere\x1b[2J", "", `0 unknown target "nowhere\x1b[2J"; there is many, studio`},
		{strings.Repeat("a", 300), "", `0 unknown target "` + strings.Repeat("a", 100) + `"; there is many, studio`},
		{"studio", "archiv", `0 unknown session "archiv" of target studio; did you mean archive? there is playout, archive`},
		{"many", "x", `0 unknown session "x" of target many; there is ` + strings.Join(many[:20], ", ") + " and 5 more"},
	} {
		n, err := (&Command{Options: Options{Config: c}, Target: tt.target, Session: tt.session}).countSessions()
		if got := fmt.Sprint(n, " ", err); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.target, tt.session, got, tt.want)
		}
	}
	_, err := (&Command{Options: Options{Config: new(config.Config)}, Target: "studio"}).countSessions()
	if fmt.Sprint(err) != "no session is configured: see target_files" {
		t.Errorf("got %v of a configuration without targets", err)
	}
}
