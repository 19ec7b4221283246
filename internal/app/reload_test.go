package app

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

const reloadFailed = "\nhmp_exporter_config_last_reload_successful 0\n"

// newReloader returns a reloader, and what it logs.
func newReloader(t *testing.T, file string) (*reloader, *canary.Log) {
	t.Helper()
	logged := canary.NewLog(t)
	source := &config.Source{File: file, Getenv: func(string) string { return "" }}
	return &reloader{
		source: source, store: config.NewStore(source.Load, func(*config.Config) {}),
		logger: log.NewLogfmtLogger(logged),
	}, logged
}

// TestAutoReload changes the configuration under a running reloader.
func TestAutoReload(t *testing.T) {
	const interval = 30 * time.Second
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
	synctest.Test(t, func(t *testing.T) {
		r, logged := newReloader(t, file)
		if err := r.Reload(); err != nil {
			t.Fatal(err)
		}
		hangup := make(chan os.Signal)
		go r.run(t.Context(), hangup, interval)
		wantAfter := func(d time.Duration, when string, loads, failures int) {
			t.Helper()
			time.Sleep(d) // on a fake clock
			synctest.Wait()
			text := logged.String()
			if l, f := strings.Count(text, `msg="loaded `), strings.Count(text, `msg="failed to reload`); l != loads || f != failures {
				t.Errorf("%s: %d loads and %d failures, want %d and %d:\n%s", when, l, f, loads, failures, text)
			}
		}
		wantAfter(10*interval, "unchanged", 1, 0)
		exportertest.WriteConfig(t, file, "https://hmp.example", "playout", "archive")
		wantAfter(interval, "changed", 2, 0)
		exportertest.WriteConfig(t, file, "hmp.example", "playout")
		wantAfter(10*interval, "with an error", 2, 1)
		exportertest.WriteConfig(t, file, "other.example", "playout")
		wantAfter(10*interval, "with another error", 2, 2)
		hangup <- syscall.SIGHUP
		wantAfter(0, "at a signal", 2, 3)
		exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
		wantAfter(10*interval, "corrected", 3, 3)
	})
}

// TestReloadSaysWhatChanged has the log of reloads: the sessions that they add, remove and
// change, other changes, and patterns without a match.
func TestReloadSaysWhatChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	r, logged := newReloader(t, file)
	for _, step := range []struct {
		url      string
		sessions string
		want     string
	}{
		{"https://hmp.example", "playout archive", "level=info msg=\"loaded the configuration\" file=" + file + " targets=1 sessions=2\n"},
		{"https://hmp.example", "playout archive", "sessions=2 changed=\"no setting\"\n"},
		{"https://hmp.example", "archive playout", "sessions=2 changed=\"labels, max_concurrent, order or a default that no target uses\"\n"},
		{"https://hmp.example", "playout ingest", "sessions=2 added_sessions=studio/ingest removed_sessions=studio/archive\n"},
		{"https://new.example", "playout", "sessions=1 removed_sessions=studio/ingest changed_sessions=studio/playout\n"},
		{"https://new.example", "a b c d e f g h i j k l", `added_sessions="studio/a,studio/b,studio/c,studio/d,studio/e,studio/f,studio/g,studio/h,studio/i,studio/j and 2 more" removed_sessions=studio/playout` + "\n"},
		{"", "", "level=warn msg=\"a warning about the configuration\" warning=\"" + file + ":1: target_files[0]: "},
	} {
		before := len(logged.String())
		exportertest.WriteConfig(t, file, step.url, strings.Fields(step.sessions)...)
		if step.url == "" {
			exportertest.WriteFile(t, file, `target_files: ["targts.d/*.yml"]`)
		}
		if err := r.Reload(); err != nil {
			t.Fatal(err)
		}
		if got := logged.String()[before:]; !strings.Contains(got, step.want) {
			t.Errorf("the log has %s, want %s", got, step.want)
		}
	}
}

// TestConcurrentReloads is that only one of several reloads at once claims a change.
func TestConcurrentReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteConfig(t, file, "https://hmp.example", "playout")
	r, logged := newReloader(t, file)
	started, gate := make(chan struct{}), make(chan struct{})
	load := r.source.Load
	r.store = config.NewStore(func() (*config.Config, error) {
		started <- struct{}{}
		<-gate
		return load()
	}, func(*config.Config) {})
	var reloads sync.WaitGroup
	reload := func() {
		if err := r.Reload(); err != nil {
			t.Error(err)
		}
	}
	reloads.Go(reload)
	<-started
	gate <- struct{}{}
	reloads.Wait()

	exportertest.WriteConfig(t, file, "https://hmp.example", "playout", "archive")
	const concurrent = 4
	for range concurrent {
		reloads.Go(reload)
	}
	<-started
	for range 1000 {
		runtime.Gosched() // the other reloads begin
	}
	gate <- struct{}{}
	for range concurrent - 1 {
		<-started
		gate <- struct{}{}
	}
	reloads.Wait()
	if n := strings.Count(logged.String(), "added_sessions=studio/archive"); n != 1 {
		t.Errorf("%d reloads added a session, want one:\n%s", n, logged)
	}
}

// TestReload reloads by SIGHUP and by POST.
func TestReload(t *testing.T) {
	hmp := hmpsim.New()
	file := exportertest.Configure(t, hmp, "playout")
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	exportertest.WriteConfig(t, file, "https://hmp.example", "playout", "archive")
	p.Signal(t, syscall.SIGHUP)
	exportertest.WaitFor(t, "the new session", func() bool {
		_, body := p.Get(t, "/config")
		return strings.Contains(body, "archive")
	})

	exportertest.WriteConfig(t, file, "hmp.example")
	resp, err := http.Post(p.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	reason, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if want := "hmp.yml:3: targets[0].url:"; resp.StatusCode != http.StatusInternalServerError || !strings.Contains(string(reason), want) {
		t.Errorf("got %d %s, want a 500 with %s", resp.StatusCode, reason, want)
	}
	if _, body := p.Get(t, "/config"); !strings.Contains(body, "archive") {
		t.Error("the old configuration is gone")
	}
	if _, body := p.Get(t, "/metrics"); !strings.Contains(body, reloadFailed) {
		t.Error("the metric does not tell that the reload failed")
	}
}

// TestReloadOfKubernetesVolume is that a changed configuration is loaded, and that tokens
// are kept. Kubernetes replaces all files at once, by another link.
func TestReloadOfKubernetesVolume(t *testing.T) {
	hmp := hmpsim.New()
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	dir := t.TempDir()
	volume := func(version string, sessions ...string) {
		t.Helper()
		text := "targets:\n  - name: studio\n    url: " + l.URL + "\n    sessions:\n"
		for _, s := range sessions {
			text += "      - {name: " + s + ", api_key: " + canary.Word + "-key, api_secret: " + canary.Word + "-secret}\n"
		}
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "hmp.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(version, filepath.Join(dir, "..next")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	volume("1", "playout")
	if err := os.Symlink("..data/hmp.yml", filepath.Join(dir, "hmp.yml")); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--config.file="+filepath.Join(dir, "hmp.yml"), "--config.auto-reload-interval=20ms")
	p.Get(t, "/metrics")
	volume("2", "playout", "archive")
	exportertest.WaitFor(t, "the new session", func() bool {
		_, body := p.Get(t, "/config")
		return strings.Contains(body, "archive")
	})
	_, body := p.Get(t, "/metrics")
	for _, session := range []string{"playout", "archive"} {
		if want := `hmp_session_valid{session="` + session + `",target="studio"} 1`; !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if logins := hmp.Stats().Logins; logins != 1 {
		t.Errorf("there were %d logins, want one", logins)
	}
}
