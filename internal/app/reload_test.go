package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// TestAutoReload changes the configuration under a running reloader.
func TestAutoReload(t *testing.T) {
	const interval = 30 * time.Second
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
	synctest.Test(t, func(t *testing.T) {
		logged := canary.NewLog(t)
		source := &config.Source{File: file, Getenv: func(string) string { return "" }}
		applied := 0
		r := &reloader{source, config.NewStore(source.Load, func(*config.Config) { applied++ }), log.NewLogfmtLogger(logged)}
		if err := r.load(); err != nil {
			t.Fatal(err)
		}
		hangup := make(chan os.Signal)
		go r.run(t.Context(), hangup, interval)
		pass := func(d time.Duration) {
			time.Sleep(d) // on a fake clock
			synctest.Wait()
		}
		want := func(when string, loads, failures int) {
			t.Helper()
			text := logged.String()
			if got := strings.Count(text, `msg="failed to reload`); applied != loads || got != failures {
				t.Errorf("%s: %d loads and %d failures, want %d and %d:\n%s", when, applied, got, loads, failures, text)
			}
		}
		pass(10 * interval)
		want("unchanged", 1, 0)
		exportertest.WriteConfig(t, file, "https://hmp.example", "playout", "archive")
		pass(interval - time.Second)
		pass(time.Second)
		want("changed", 2, 0)
		exportertest.WriteConfig(t, file, "hmp.example", "playout")
		pass(10 * interval)
		want("broken", 2, 1)
		exportertest.WriteConfig(t, file, "other.example", "playout")
		pass(10 * interval)
		want("broken in another way", 2, 2)
		hangup <- os.Interrupt
		pass(0)
		want("at a signal", 2, 3)
		exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
		pass(10 * interval)
		want("mended", 3, 3)
		if want := `level=info msg="loaded the configuration" file=` + file + " targets=1 sessions=2 added=studio/archive\n"; !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, logged.String())
		}
	})
}

// TestReloadSaysWhatChanged is that the log tells sessions by name that a reload adds, removes
// and changes.
func TestReloadSaysWhatChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	logged := canary.NewLog(t)
	source := &config.Source{File: file, Getenv: func(string) string { return "" }}
	r := &reloader{source, config.NewStore(source.Load, func(*config.Config) {}), log.NewLogfmtLogger(logged)}
	many := strings.Fields("a b c d e f g h i j k l")
	for _, step := range []struct {
		url      string
		sessions []string
		want     string
	}{
		{"https://hmp.example", []string{"playout", "archive"}, "sessions=2\n"},
		{"https://hmp.example", []string{"playout", "archive"}, "sessions=2 changed=nothing\n"},
		{"https://hmp.example", []string{"playout", "ingest"}, "sessions=2 added=studio/ingest removed=studio/archive\n"},
		{"https://new.example", []string{"playout"}, "sessions=1 removed=studio/ingest changed=studio/playout\n"},
		{"https://new.example", many, `added="studio/a,studio/b,studio/c,studio/d,studio/e,studio/f,studio/g,studio/h,studio/i,studio/j and 2 more" removed=studio/playout` + "\n"},
	} {
		before := len(logged.String())
		exportertest.WriteConfig(t, file, step.url, step.sessions...)
		if err := r.load(); err != nil {
			t.Fatal(err)
		}
		if got := logged.String()[before:]; !strings.Contains(got, step.want) {
			t.Errorf("the log has %s, want %s", got, step.want)
		}
	}
}

// TestNoAutoReload is that nothing is compared unless somebody asked for it.
func TestNoAutoReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
	synctest.Test(t, func(t *testing.T) {
		source := &config.Source{File: file, Getenv: func(string) string { return "" }}
		applied := 0
		r := &reloader{source, config.NewStore(source.Load, func(*config.Config) { applied++ }), log.NewNopLogger()}
		if err := r.load(); err != nil {
			t.Fatal(err)
		}
		go r.run(t.Context(), nil, 0)
		exportertest.WriteConfig(t, file, "https://hmp.example", "archive")
		time.Sleep(24 * time.Hour) // on a fake clock
		if applied != 1 {
			t.Errorf("%d loads, want one", applied)
		}
	})
}

// TestLoadOfNothing is that a configuration which watches nothing is not loaded in silence.
func TestLoadOfNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, []byte(`target_files: ["targts.d/*.yml"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	logged := canary.NewLog(t)
	source := &config.Source{File: file, Getenv: func(string) string { return "" }}
	r := &reloader{source, config.NewStore(source.Load, func(*config.Config) {}), log.NewLogfmtLogger(logged)}
	for range 2 {
		if err := r.reload(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`level=info msg="loaded the configuration" file=` + file + " targets=0 sessions=0",
		"targts.d/*.yml: matches no file; ", "no target: nothing is watched; ",
	} {
		if got := strings.Count(logged.String(), want); got != 2 {
			t.Errorf("%q is there %d times:\n%s", want, got, logged.String())
		}
	}
}
