package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(exportertest.Suite{Tests: m}) }

const (
	playoutValid     = `hmp_session_valid{session="playout",target="studio"} 1`
	playoutNoRoles   = `hmp_session_probe_result{result="no_roles",session="playout",target="studio"} 1`
	playoutSaturated = `hmp_session_probe_result{result="saturated",session="playout",target="studio"} 1`
)

// start runs hmp_exporter on a free port and returns when it listens.
func start(t *testing.T, args ...string) *exportertest.Process {
	t.Helper()
	return exportertest.Start(t, exec.Command("hmp_exporter", append(args, "--web.listen-address=127.0.0.1:0")...))
}

// stop ends the exporter, which must succeed.
func stop(t *testing.T, p *exportertest.Process) {
	t.Helper()
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
}

// TestServe is also about an exporter behind a proxy that keeps the prefix: all paths are
// below it, and healthcheck knows that.
func TestServe(t *testing.T) {
	for prefix, arguments := range map[string][]string{
		"":     nil,
		"/hmp": {"--web.external-url=https://proxy.example/hmp/"},
	} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			hmp := hmpsim.New()
			hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
			arguments := append(arguments, "--config.file="+exportertest.Configure(t, hmp, "playout"))
			p := start(t, arguments...)
			for path, want := range map[string]string{
				"/metrics":                             playoutValid,
				"/probe?target=studio":                 playoutValid,
				"/probe?target=studio&session=playout": playoutValid,
				"/":                                    "playout",
				"/config":                              "name: playout",
				"/sessions.json":                       `"session": "playout"`,
				"/-/ready":                             "",
				"/-/healthy":                           "",
			} {
				if status, body := p.Get(t, prefix+path); status != http.StatusOK || !strings.Contains(body, want) {
					t.Errorf("%s: got %d without %s", path, status, want)
				}
			}
			arguments = append([]string{"healthcheck", "--web.listen-address=" + strings.TrimPrefix(p.URL, "http://")}, arguments...)
			if output, err := exec.Command("hmp_exporter", arguments...).CombinedOutput(); err != nil {
				t.Errorf("healthcheck: %v\n%s", err, output)
			}
			stop(t, p)
		})
	}
}

// A hungSource is a configuration on a disk that hangs.
type hungSource struct{ loading, repaired chan struct{} }

func (s hungSource) Load() (*config.Config, error) {
	close(s.loading)
	<-s.repaired
	return nil, errors.New("it was repaired")
}

func (hungSource) Changed(context.Context) bool { return false }

// TestServeEndsDuringFirstLoad is that SIGTERM ends the exporter while its configuration is read.
func TestServeEndsDuringFirstLoad(t *testing.T) {
	f, err := parse([]string{"--web.listen-address=127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	source := hungSource{make(chan struct{}), make(chan struct{})}
	repair := time.AfterFunc(exportertest.Timeout, func() { close(source.repaired) })
	ctx, terminate := context.WithCancel(t.Context())
	go func() {
		<-source.loading
		terminate()
	}()
	if err := serve(ctx, f, source, canary.NewLog(t), func(string) {}); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if repair.Stop() {
		close(source.repaired)
	}
}

// TestServeWithoutScraper is that --probe.interval probes, so that the page lives.
func TestServeWithoutScraper(t *testing.T) {
	t.Parallel()
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	p := start(t, "--config.file="+exportertest.Configure(t, hmp, "playout"), "--probe.interval=1s")
	exportertest.WaitFor(t, "the page to live", func() bool {
		_, page := p.Get(t, "/")
		return strings.Contains(page, "The session is valid") && hmp.Stats().GETs > 1
	})
	stop(t, p)
}

// TestServeLogsIn reloads, and then replaces the secret of an API key, first in HMP and later
// in the file.
func TestServeLogsIn(t *testing.T) {
	hmp := hmpsim.New()
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "archive.secret")
	exportertest.WriteFile(t, secret, canary.Word+"-secret\n")
	exportertest.WriteFile(t, filepath.Join(dir, "archive.key"), canary.Word+"-key\n")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), `
targets:
  - name: studio
    url: `+l.URL+`
    sessions:
      - {name: archive, api_key_file: archive.key, api_secret_file: archive.secret}
`)
	p := start(t, "--config.file="+filepath.Join(dir, "hmp.yml"), "--web.enable-lifecycle", "--log.level=debug")

	// expect scrapes once and looks for samples.
	expect := func(what string, samples ...string) {
		t.Helper()
		_, body := p.Get(t, "/metrics")
		for _, want := range samples {
			if !strings.Contains(body, want+"\n") {
				t.Errorf("%s: no %s", what, want)
			}
		}
	}
	const labels = `{session="archive",target="studio"}`
	valid := `hmp_session_valid` + labels + ` 1`
	logins := func(result, n string) string {
		return `hmp_session_logins_total{result="` + result + `",session="archive",target="studio"} ` + n
	}
	expect("the first scrape", valid, logins("success", "1"), `hmp_session_login_suspended`+labels+` 0`)
	expect("the second scrape", valid, logins("success", "1"))

	resp, err := http.Post(p.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("reload: got %s", resp.Status)
	}
	expect("after a reload", valid, logins("success", "1"))

	hmp.RegenerateKey(canary.Word+"-key", canary.Word+"-new")
	hmp.RevokeTokens(canary.Word + "-key")
	for range 3 {
		expect("with the old secret", `hmp_session_probe_result{result="login_rejected",session="archive",target="studio"} 1`,
			logins("login_rejected", "1"), `hmp_session_login_suspended`+labels+` 1`)
	}
	exportertest.WriteFile(t, secret, canary.Word+"-new\n")
	expect("with the new secret", valid, logins("success", "2"), logins("login_rejected", "1"), `hmp_session_login_suspended`+labels+` 0`)

	for _, path := range []string{"/", "/config", "/probe?target=studio"} {
		p.Get(t, path) // which looks for secrets
	}
	stop(t, p)
	if n := strings.Count(p.Log.String(), `msg=login `); n != 3 {
		t.Errorf("%d logins in the log, want 3:\n%s", n, p.Log)
	}
}

// TestFewFiles is that an exporter without free file descriptors answers, says why it cannot
// probe, and recovers.
func TestFewFiles(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	p := startInShell(t, `ulimit -n 64; exec "$@"`, canary.NewLog(t), "--config.file="+exportertest.Configure(t, hmp, "playout"))
	transport := &http.Transport{MaxConnsPerHost: 1} // its connection is open before the others take all descriptors
	defer transport.CloseIdleConnections()
	kept := &http.Client{Transport: canary.Transport(t, transport)}
	get := func(path string) string {
		resp, err := kept.Get(p.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK || err != nil {
			t.Errorf("%s: %s, %v", path, resp.Status, err)
		}
		return string(body)
	}
	isValid := func() bool { return strings.Contains(get("/metrics"), playoutValid) }
	if !isValid() {
		t.Fatal("the session is not valid at the start")
	}

	var idle []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	exportertest.WaitFor(t, "the descriptors to run out", func() bool { return strings.Contains(get("/metrics"), playoutSaturated) })
	if page := get("/"); !strings.Contains(page, "too many open files") {
		t.Errorf("the page does not say why:\n%s", page)
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	exportertest.WaitFor(t, "the session to be valid again", isValid)

	var scrapers sync.WaitGroup
	for range 200 {
		scrapers.Go(func() {
			client := &http.Client{Transport: canary.Transport(t, &http.Transport{DisableKeepAlives: true})}
			resp, err := client.Get(p.URL + "/probe?target=studio")
			if err != nil {
				t.Errorf("a scrape was not answered: %v", err)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Errorf("an answer was cut short: %v", err)
			}
			if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("got %s", resp.Status)
			}
		})
	}
	scrapers.Wait()
	exportertest.WaitFor(t, "the session to be valid after the scrapes", isValid)
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
