package app

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// A variant is one of the configurations that take turns in a storm.
type variant struct{ sessions []string }

// text is in the flow style, of which no part is a configuration.
func (v variant) text(url string) string {
	var list []string
	for i, s := range v.sessions {
		// Some connections are kept, for a reload to let go of.
		list = append(list, fmt.Sprintf("{name: %[1]s, url: %[2]q, keep_alive: %[3]t, sessions: [{name: %[1]s, token: %[4]s-%[1]s}]}", s, url, i%2 == 0, canary.Word))
	}
	return "{targets: [" + strings.Join(list, ",\n") + "]}\n"
}

// rewrites are the ways in which somebody changes a file under a program.
var rewrites = map[string]func(t *testing.T, file, text string){
	"renamed": func(t *testing.T, file, text string) {
		exportertest.WriteFile(t, file+".new", text)
		if err := os.Rename(file+".new", file); err != nil {
			t.Error(err)
		}
	},
	"in place": func(t *testing.T, file, text string) { exportertest.WriteFile(t, file, text) },
	"in two halves": func(t *testing.T, file, text string) {
		f, err := os.Create(file)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
			if _, err := f.WriteString(half); err != nil {
				t.Error(err)
			}
		}
	},
	"torn":    func(t *testing.T, file, text string) { exportertest.WriteFile(t, file, text[:len(text)*2/3]) },
	"emptied": func(t *testing.T, file, _ string) { exportertest.WriteFile(t, file, "") },
	"wrong": func(t *testing.T, file, text string) {
		exportertest.WriteFile(t, file, strings.ReplaceAll(text, "token:", "tokn:"))
	},
	"gone": func(t *testing.T, file, _ string) { _ = os.Remove(file) },
}

// TestReloadStorm rewrites the configuration in all ways and sends SIGHUP 500 times,
// while scrapes go on. Each scrape has the sessions of a configuration that is whole.
func TestReloadStorm(t *testing.T) {
	hmp := hmpsim.New()
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	variants := []variant{{[]string{"a"}}, {[]string{"a", "b", "c"}}, {[]string{"c", "d"}}, {[]string{"b", "e", "f", "g"}}}
	for s := range strings.SplitSeq("abcdefg", "") {
		hmp.SetToken(canary.Word+"-"+s, hmpsim.Valid(hmpsim.ExampleSession()))
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteFile(t, file, variants[0].text(l.URL))
	p := start(t, "--config.file="+file, "--web.max-requests=0")
	before := p.resources(t)

	done := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 4 {
		scrapers.Go(func() {
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: canary.Transport(t, transport)}
			for {
				if got := p.sessions(t, client); !slices.ContainsFunc(variants, func(v variant) bool { return slices.Equal(v.sessions, got) }) {
					t.Errorf("a scrape has the sessions %q, which no configuration has", got)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	ways := slices.Sorted(func(yield func(string) bool) {
		for way := range rewrites {
			if !yield(way) {
				return
			}
		}
	})
	transport := new(http.Transport)
	client := &http.Client{Transport: canary.Transport(t, transport)}
	// settle lets the storm pause: a good configuration comes into force, and stays
	// when a bad one comes.
	settle := func(good, bad variant) {
		t.Helper()
		rewrites["renamed"](t, file, good.text(l.URL))
		p.Signal(t, syscall.SIGHUP)
		exportertest.WaitFor(t, "the good configuration", func() bool { return slices.Equal(p.sessions(t, client), good.sessions) })
		rewrites["torn"](t, file, bad.text(l.URL))
		p.Signal(t, syscall.SIGHUP)
		exportertest.WaitFor(t, "the reload to fail", func() bool {
			_, body := p.Get(t, "/metrics")
			return strings.Contains(body, "\nhmp_exporter_config_last_reload_successful 0\n")
		})
		if got := p.sessions(t, client); !slices.Equal(got, good.sessions) {
			t.Errorf("the sessions are %q after all, want %q", got, good.sessions)
		}
	}
	for i := range 500 {
		rewrites[ways[i%len(ways)]](t, file, variants[i%len(variants)].text(l.URL))
		p.Signal(t, syscall.SIGHUP)
		if i%50 == 49 {
			settle(variants[i/50%len(variants)], variants[i/10%len(variants)])
		}
	}
	close(done)
	scrapers.Wait()

	// With the configuration of the beginning, all is as it was in the beginning.
	exportertest.WriteFile(t, file, variants[0].text(l.URL))
	p.Signal(t, syscall.SIGHUP)
	http.DefaultClient.CloseIdleConnections()
	transport.CloseIdleConnections()
	var after resources
	defer func() { t.Logf("before the storm %+v, after it %+v", before, after) }()
	exportertest.WaitFor(t, "goroutines and file descriptors to be as many as before", func() bool {
		after = p.resources(t)
		return after.goroutines <= before.goroutines+2 && after.files <= before.files+2 // those of this very scrape
	})
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
	t.Logf("%d reloads succeeded, %d failed", strings.Count(p.Log.String(), `msg="loaded `), strings.Count(p.Log.String(), `msg="failed to reload `))
}

var validSession = regexp.MustCompile(`(?m)^hmp_session_valid\{session="(.*?)",.*\} (\d)$`)

// sessions scrapes and returns the names of the sessions, which have to be valid.
func (p *process) sessions(t *testing.T, client *http.Client) (names []string) {
	resp, err := client.Get(p.URL + "/metrics")
	if err != nil {
		t.Errorf("a scrape was not answered: %v", err)
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || err != nil {
		t.Errorf("got %s, %v", resp.Status, err)
	}
	for _, m := range validSession.FindAllStringSubmatch(string(body), -1) {
		names = append(names, m[1])
		if m[2] != "1" {
			t.Errorf("session %s is not valid:\n%s", m[1], regexp.MustCompile(`(?m)^hmp_session_probe_result.* 1$`).FindAllString(string(body), -1))
		}
	}
	return names
}

// resources is what a process has that it has to give back.
type resources struct{ goroutines, files int }

func (p *process) resources(t *testing.T) resources {
	t.Helper()
	_, body := p.Get(t, "/metrics")
	value := func(name string) int {
		m := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("there is no %s", name)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return resources{value("go_goroutines"), value("process_open_fds")}
}
