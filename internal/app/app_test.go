package app

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/logging"
)

// TestMain lets tests and scripts run this program as the command hmp_exporter.
func TestMain(m *testing.M) {
	testscript.Main(leakless{canary.Watch(m)}, map[string]func(){"hmp_exporter": func() { os.Exit(Run(os.Args[1:])) }})
}

// A leakless suite fails if tests leave goroutines behind.
type leakless struct{ tests *canary.Watched }

func (l leakless) Run() int {
	code := l.tests.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// A process is a running hmp_exporter.
type process struct{ *exportertest.Process }

// start runs hmp_exporter on a free port and returns when it listens.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return &process{exportertest.Start(t, exec.Command("hmp_exporter", append(args, "--web.listen-address=127.0.0.1:0")...))}
}

func TestServe(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	p := start(t, "--config.file="+exportertest.Configure(t, hmp, "playout"))
	for _, path := range []string{"/metrics", "/probe?target=studio", "/probe?target=studio&session=playout"} {
		status, body := p.Get(t, path)
		if want := `hmp_session_valid{session="playout",target="studio"} 1`; status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d without %s", path, status, want)
		}
	}
	for _, path := range []string{"/", "/config", "/-/ready", "/-/healthy"} {
		if status, _ := p.Get(t, path); status != 200 {
			t.Errorf("%s: got %d", path, status)
		}
	}
	health := exec.Command("hmp_exporter", "healthcheck")
	health.Env = append(os.Environ(), "HMP_EXPORTER_WEB_LISTEN_ADDRESS="+strings.TrimPrefix(p.URL, "http://"))
	if output, err := health.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v\n%s", err, output)
	}
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
}

// Behind a proxy that keeps the prefix, all is below it, also for the health check. Without a
// scraper, the exporter probes by itself.
func TestServeBehindProxy(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	p := start(t, "--config.file="+exportertest.Configure(t, hmp, "playout"), "--web.external-url=https://proxy.example/hmp/", "--probe.interval=1s")
	exportertest.WaitFor(t, "the page to live", func() bool {
		_, page := p.Get(t, "/hmp/")
		return strings.Contains(page, "The session is valid") && hmp.Stats().GETs > 1
	})
	health := exec.Command("hmp_exporter", "healthcheck")
	health.Env = append(os.Environ(), "HMP_EXPORTER_WEB_LISTEN_ADDRESS="+strings.TrimPrefix(p.URL, "http://"), "HMP_EXPORTER_WEB_EXTERNAL_URL=https://proxy.example/hmp/")
	if output, err := health.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v\n%s", err, output)
	}
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
}

// A scrape that has begun when SIGTERM comes is answered.
func TestServeDrains(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		close(asked)
		<-answer
		hmpsim.Valid(hmpsim.ExampleSession())(w, r, c)
	})
	p := start(t, "--config.file="+exportertest.Configure(t, hmp, "playout"))
	body := make(chan string)
	go func() {
		_, b := p.Get(t, "/metrics")
		body <- b
	}()
	<-asked
	p.Signal(t, syscall.SIGTERM)
	for refused := false; !refused; { // it has stopped listening: the drain has begun
		resp, err := http.Get(p.URL + "/-/healthy")
		if refused = err != nil; !refused {
			resp.Body.Close()
		}
	}
	close(answer)
	if want := `hmp_session_valid{session="playout",target="studio"} 1`; !strings.Contains(<-body, want) {
		t.Errorf("the scrape was answered without %s", want)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
}

func TestServeReloads(t *testing.T) {
	hmp := hmpsim.New()
	file := exportertest.Configure(t, hmp, "playout")
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	_, before := p.Get(t, "/config")

	exportertest.WriteConfig(t, file, "https://hmp.example", "playout", "archive")
	p.Signal(t, syscall.SIGHUP)
	exportertest.WaitFor(t, "the new session to be there", func() bool {
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
	if want := "hmp.yml:3: targets[0].url:"; resp.StatusCode != 500 || !strings.Contains(string(reason), want) {
		t.Errorf("got %d %s, want a 500 with %s", resp.StatusCode, reason, want)
	}
	if _, body := p.Get(t, "/config"); !strings.Contains(body, "archive") || body == before {
		t.Error("the configuration before the failure is gone")
	}
	if _, body := p.Get(t, "/metrics"); !strings.Contains(body, "hmp_exporter_config_last_reload_successful 0") {
		t.Error("the metric does not tell that the reload failed")
	}
}

// A changed configuration is loaded without anybody asking, and tokens are kept. Files change
// as in a volume of Kubernetes: all at once, by another link.
func TestServeAutoReload(t *testing.T) {
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
	exportertest.WaitFor(t, "the new session to be there", func() bool {
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

// The demo shows every result that an HMP can cause. The first scrape has them all, unless the machine is busy. Its page
// lives without a scrape.
func TestDemo(t *testing.T) {
	p := start(t, "demo")
	exportertest.WaitFor(t, "the page to show all sessions", func() bool {
		_, page := p.Get(t, "/")
		return strings.Contains(page, "of 31 sessions</a> are not valid") && strings.Contains(page, "on 10 targets") &&
			!strings.Contains(page, "not probed yet")
	})
	missing := []string{
		"valid", "no_roles", "unauthorized", "internal_error", "auth_unavailable", "endpoint_missing", "redirect", "http_error",
		"bad_payload", "timeout", "dns", "connect", "tls", "protocol", "login_rejected", "credentials",
	}
	for deadline := time.Now().Add(2 * exportertest.Patience); len(missing) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("no session ever had the results %v", missing)
		}
		_, body := p.Get(t, "/metrics")
		missing = slices.DeleteFunc(missing, func(result string) bool {
			return regexp.MustCompile(`(?m)^hmp_session_probe_result\{result="` + result + `",.*\} 1$`).MatchString(body)
		})
	}
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
	for _, want := range []string{"31 sessions on 10 targets", "Open " + p.URL + "/", "studio/newsroom"} {
		if !strings.Contains(p.Log.String(), want) {
			t.Errorf("it did not print %q:\n%s", want, p.Log)
		}
	}
}

// What the demo cannot do while it runs is in the log: the standard logger is discarded.
func TestDemoLogsWhatFails(t *testing.T) {
	dir := t.TempDir()
	lines, log := io.Pipe()
	logger, _, flush := logging.New(log, "logfmt", "info")
	demo, err := startSimulation(dir, logger, 600) // it writes the first secret after half a second
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(lines).ReadString('\n')
	if want := "failed to write the new secret of arena/tickets"; err != nil || !strings.Contains(line, want) {
		t.Errorf("got %q, error %v, want %s", line, err, want)
	}
	demo.Close()
	lines.Close()
	flush()
}
