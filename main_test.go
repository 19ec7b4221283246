package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// TestMain lets tests and scripts run this program as the command hmp_exporter.
func TestMain(m *testing.M) {
	testscript.Main(leakless{canary.Watch(m)}, map[string]func(){"hmp_exporter": main})
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
type process struct {
	cmd    *exec.Cmd
	url    string
	output *strings.Builder // what it wrote; not to be read before it has ended
	ended  chan struct{}
}

var listening = regexp.MustCompile(`msg="?Listening on"? address=(127\.0\.0\.1:\d+)`)

// start runs hmp_exporter on a free port and returns when it answers.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{
		cmd:    exec.Command("hmp_exporter", append(args, "--web.listen-address=127.0.0.1:0")...),
		output: new(strings.Builder),
		ended:  make(chan struct{}),
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	address := make(chan string, 1)
	go func() {
		defer close(p.ended)
		defer r.Close()
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			p.output.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		_ = p.cmd.Wait()
		canary.Check(t, "the output", p.output.String())
	})
	select {
	case a := <-address:
		p.url = "http://" + a
	case <-p.ended:
		t.Fatalf("it ended:\n%s", p.output)
	case <-time.After(30 * time.Second):
		t.Fatal("it does not listen")
	}
	return p
}

// stop ends the process as an orchestrator does and returns its error.
func (p *process) stop(t *testing.T) error {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	<-p.ended
	return p.cmd.Wait()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *process) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	canary.Check(t, path, string(b))
	return resp.StatusCode, string(b)
}

// configure writes a configuration for a simulated HMP and returns its path.
func configure(t *testing.T, hmp *hmpsim.Server, sessions ...string) string {
	t.Helper()
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	file := filepath.Join(t.TempDir(), "hmp.yml")
	writeConfig(t, file, l.URL, sessions...)
	return file
}

func writeConfig(t testing.TB, file, url string, sessions ...string) {
	t.Helper()
	text := "targets:\n  - name: studio\n    url: " + url + "\n    sessions:\n"
	for _, s := range sessions {
		text += "      - {name: " + s + ", token: " + canary.Word + "-" + s + "}\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServe(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	p := start(t, "--config.file="+configure(t, hmp, "playout"))
	for _, path := range []string{"/metrics", "/probe?target=studio", "/probe?target=studio&session=playout"} {
		status, body := p.get(t, path)
		if want := `hmp_session_valid{session="playout",target="studio"} 1`; status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d without %s", path, status, want)
		}
	}
	for _, path := range []string{"/", "/config", "/-/ready", "/-/healthy"} {
		if status, _ := p.get(t, path); status != 200 {
			t.Errorf("%s: got %d", path, status)
		}
	}
	if err := exec.Command("hmp_exporter", "healthcheck", "--url="+p.url+"/-/healthy").Run(); err != nil {
		t.Errorf("healthcheck: %v", err)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.output)
	}
}

// A scrape that has begun when SIGTERM comes is answered.
func TestServeDrains(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		close(asked)
		<-answer
		hmpsim.Valid(hmpsim.ExampleSession()).Serve(w, r, c)
	}))
	p := start(t, "--config.file="+configure(t, hmp, "playout"))
	body := make(chan string)
	go func() {
		_, b := p.get(t, "/metrics")
		body <- b
	}()
	<-asked
	p.signal(t, syscall.SIGTERM)
	for refused := false; !refused; { // it has stopped listening: the drain has begun
		resp, err := http.Get(p.url + "/-/healthy")
		if refused = err != nil; !refused {
			resp.Body.Close()
		}
	}
	close(answer)
	if want := `hmp_session_valid{session="playout",target="studio"} 1`; !strings.Contains(<-body, want) {
		t.Errorf("the scrape was answered without %s", want)
	}
	<-p.ended
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.output)
	}
}

func TestServeReloads(t *testing.T) {
	hmp := hmpsim.New()
	file := configure(t, hmp, "playout")
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	_, before := p.get(t, "/config")

	writeConfig(t, file, "https://hmp.example", "playout", "archive")
	p.signal(t, syscall.SIGHUP)
	waitFor(t, "the new session to be there", func() bool {
		_, body := p.get(t, "/config")
		return strings.Contains(body, "archive")
	})

	writeConfig(t, file, "hmp.example")
	resp, err := http.Post(p.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	reason, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if want := "hmp.yml:3: targets[0].url:"; resp.StatusCode != 500 || !strings.Contains(string(reason), want) {
		t.Errorf("got %d %s, want a 500 with %s", resp.StatusCode, reason, want)
	}
	if _, body := p.get(t, "/config"); !strings.Contains(body, "archive") || body == before {
		t.Error("the configuration before the failure is gone")
	}
	if _, body := p.get(t, "/metrics"); !strings.Contains(body, "hmp_exporter_config_last_reload_successful 0") {
		t.Error("the metric does not tell that the reload failed")
	}
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// The demo shows every result that an HMP can cause, in its first scrape.
func TestDemo(t *testing.T) {
	p := start(t, "demo")
	_, body := p.get(t, "/metrics")
	for _, result := range []string{
		"valid", "no_roles", "unauthorized", "internal_error", "auth_unavailable", "endpoint_missing", "redirect", "http_error",
		"bad_payload", "timeout", "dns", "connect", "tls", "protocol", "login_rejected", "credentials",
	} {
		if !regexp.MustCompile(`(?m)^hmp_session_probe_result\{result="` + result + `",.*\} 1$`).MatchString(body) {
			t.Errorf("no session has the result %s", result)
		}
	}
	if err := p.stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.output)
	}
	for _, want := range []string{"Open " + p.url + "/", "studio/newsroom"} {
		if !strings.Contains(p.output.String(), want) {
			t.Errorf("it did not print %q:\n%s", want, p.output)
		}
	}
}
