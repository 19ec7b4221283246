package app

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// startIn runs hmp_exporter from a shell that makes it live as a script says, with
// "$@" for the program and its arguments. The program gets its listener from here,
// as it would from systemd: so its address is known, whatever becomes of its log.
func startIn(t *testing.T, script string, stderr io.Writer, args ...string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	script = "export LISTEN_PID=$$ LISTEN_FDS=1; " + script
	cmd := exec.Command("sh", append([]string{"-c", script, "sh", "hmp_exporter", "--web.systemd-socket"}, args...)...)
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = stderr
	p := &process{exportertest.Run(t, cmd)}
	p.URL = "http://" + l.Addr().String()
	return p
}

// end ends a program of startIn, which has to succeed.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestLogThatCannotBeWritten is that the exporter goes on without its log.
func TestLogThatCannotBeWritten(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"disk full", `exec "$@" 2>/dev/full`},
		{"closed", `exec "$@" 2>&-`},
		{"all closed", `exec "$@" <&- >&- 2>&-`},
		{"reader gone", `exec "$@"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hmp := hmpsim.New()
			hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
			file := exportertest.Configure(t, hmp, "playout")
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p := startIn(t, c.script, w, "--config.file="+file, "--log.level=debug")
			_ = w.Close()
			_ = r.Close()
			if _, body := p.Get(t, "/metrics"); !strings.Contains(body, validPlayout) {
				t.Error("the session is not valid")
			}
			hmp.SetToken(canary.Word+"-playout", hmpsim.NoRoles()) // which is logged
			if _, body := p.Get(t, "/metrics"); !strings.Contains(body, `result="no_roles",session="playout",target="studio"} 1`) {
				t.Error("the session has a role")
			}
			exportertest.WriteFile(t, file, "nonsense") // and so is this
			p.Signal(t, syscall.SIGHUP)
			exportertest.WaitFor(t, "the reload to fail", func() bool {
				_, body := p.Get(t, "/metrics")
				return strings.Contains(body, "\nhmp_exporter_config_last_reload_successful 0\n")
			})
			p.end(t)
		})
	}
}

// TestFewFiles is that an exporter that may open few files answers all the same, says
// why it cannot probe, and is well again once it can.
func TestFewFiles(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	log := canary.NewLog(t)
	p := startIn(t, `ulimit -n 64; exec "$@"`, log, "--config.file="+exportertest.Configure(t, hmp, "playout"))
	transport := &http.Transport{MaxConnsPerHost: 1} // which has its file already when others take the rest
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
	isValid := func() bool { return strings.Contains(get("/metrics"), validPlayout) }
	if !isValid() {
		t.Fatal("the session is not valid to begin with")
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
	exportertest.WaitFor(t, "files to run out", func() bool {
		return strings.Contains(get("/metrics"), `hmp_session_probe_result{result="saturated",session="playout",target="studio"} 1`)
	})
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
			body, err := io.ReadAll(resp.Body)
			switch {
			case err != nil:
				t.Errorf("an answer was cut short: %v", err)
			case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable:
				t.Errorf("got %s: %s", resp.Status, body)
			}
		})
	}
	scrapers.Wait()
	exportertest.WaitFor(t, "the session to be valid after all", isValid)
	p.end(t)
}

// TestLogThatNobodyReads has a pipe for the log that nobody empties, and a session
// whose every probe is worth a line.
func TestLogThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	hmp := hmpsim.New()
	p := startIn(t, `exec "$@"`, w, "--config.file="+exportertest.Configure(t, hmp, "playout"))
	_ = w.Close()
	for n := range 400 { // lines of 300 bytes, for a pipe of 64 kB
		want := `hmp_session_probe_result{result="no_roles",session="playout",target="studio"} 1`
		hmp.SetToken(canary.Word+"-playout", hmpsim.NoRoles())
		if n%2 == 0 {
			want = validPlayout
			hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
		}
		if _, body := p.Get(t, "/metrics"); !strings.Contains(body, want) {
			t.Fatalf("scrape %d does not have %s", n, want)
		}
	}
	p.end(t)
}
