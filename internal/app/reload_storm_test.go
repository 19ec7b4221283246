package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// rewrites are ways to change a file that a program may read at any time.
var rewrites = map[string]func(t *testing.T, file, text string){
	"renamed": func(t *testing.T, file, text string) {
		exportertest.WriteFile(t, file+".new", text)
		if err := os.Rename(file+".new", file); err != nil {
			t.Error(err)
		}
	},
	"in place": func(t *testing.T, file, text string) { exportertest.WriteFile(t, file, text) },
	"cut off":  func(t *testing.T, file, text string) { exportertest.WriteFile(t, file, text[:len(text)*2/3]) },
	"emptied":  func(t *testing.T, file, _ string) { exportertest.WriteFile(t, file, "") },
	"wrong": func(t *testing.T, file, text string) {
		exportertest.WriteFile(t, file, strings.ReplaceAll(text, "token:", "tokn:"))
	},
	"removed": func(t *testing.T, file, _ string) { _ = os.Remove(file) },
}

// TestReloadStorm rewrites the configuration in all ways and reloads by SIGHUP, POST and the
// ticker, while scrapes go on. Each scrape has the sessions of one whole configuration. The
// exporter runs in this process, for the race detector.
func TestReloadStorm(t *testing.T) {
	hmp := hmpsim.New()
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	variants := [][]string{{"a"}, {"a", "b", "c"}, {"c", "d"}, {"b", "e", "f", "g"}}
	for s := range strings.SplitSeq("abcdefg", "") {
		hmp.SetToken(canary.Word+"-"+s, hmpsim.Valid(hmpsim.ExampleSession()))
	}
	// In the flow style, no part of a configuration is a configuration.
	text := func(variant []string) string {
		var targets []string
		for i, s := range variant {
			targets = append(targets, fmt.Sprintf("{name: %[1]s, url: %[2]q, keep_alive: %[3]t, sessions: [{name: %[1]s, token: %[4]s-%[1]s}]}", s, l.URL, i%2 == 0, canary.Word))
		}
		return "{targets: [" + strings.Join(targets, ",\n") + "]}\n"
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteFile(t, file, text(variants[0]))
	url, stop := serveInProcess(t, "--config.file="+file, "--web.max-requests=0", "--web.enable-lifecycle", "--config.auto-reload-interval=5ms")

	if _, err := validSessions(http.DefaultClient, url); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()

	done := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 4 {
		scrapers.Go(func() {
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: canary.Transport(t, transport)}
			for {
				select {
				case <-done:
					return
				default:
				}
				sessions, err := validSessions(client, url)
				if err != nil || !slices.ContainsFunc(variants, func(v []string) bool { return slices.Equal(v, sessions) }) {
					t.Errorf("a scrape has the sessions %q of no configuration, error %v", sessions, err)
				}
			}
		})
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ways := slices.Sorted(maps.Keys(rewrites))
	for i := range 200 {
		rewrites[ways[i%len(ways)]](t, file, text(variants[i%len(variants)]))
		if err := self.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 { // a good configuration is in force after its reload
			variant := variants[i/10%len(variants)]
			rewrites["renamed"](t, file, text(variant))
			resp, err := http.Post(url+"/-/reload", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if sessions, err := validSessions(http.DefaultClient, url); err != nil || !slices.Equal(sessions, variant) || resp.StatusCode != http.StatusOK {
				t.Errorf("%s, and the sessions are %q, %v, want %q", resp.Status, sessions, err, variant)
			}
		}
	}
	close(done)
	scrapers.Wait()

	// With the first configuration, there are as many connections as at the start.
	exportertest.WriteFile(t, file, text(variants[0]))
	exportertest.WaitFor(t, "as few goroutines as before", func() bool {
		http.DefaultClient.CloseIdleConnections()
		return runtime.NumGoroutine() <= before+2
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// serveInProcess runs serve in the process of the test. stop ends it as SIGTERM does.
func serveInProcess(t *testing.T, args ...string) (url string, stop func() error) {
	t.Helper()
	f, err := parse(append(args, "--web.listen-address=127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	urls, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serve(ctx, f, &config.Source{File: f.configFile, Getenv: os.Getenv}, canary.NewLog(t), func(url string) { urls <- url })
	}()
	stop = func() error {
		cancel()
		return <-ended
	}
	select {
	case url = <-urls:
		return url, stop
	case err := <-ended:
		t.Fatal(err)
		return "", nil
	}
}

var sessionValid = regexp.MustCompile(`(?m)^hmp_session_valid\{session="(.*?)",.*\} (\d)$`)

// validSessions scrapes. It returns an error if a session is not valid.
func validSessions(client *http.Client, url string) (names []string, err error) {
	resp, err := client.Get(url + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("a scrape was not answered: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || err != nil {
		return nil, fmt.Errorf("got %s, %w", resp.Status, err)
	}
	for _, m := range sessionValid.FindAllStringSubmatch(string(body), -1) {
		names = append(names, m[1])
		if m[2] != "1" {
			return nil, fmt.Errorf("session %s is not valid:\n%s", m[1], regexp.MustCompile(`(?m)^hmp_session_probe_result.* 1$`).FindAllString(string(body), -1))
		}
	}
	return names, nil
}
