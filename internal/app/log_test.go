package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// startInShell runs hmp_exporter by a script, whose "$@" is the program with its arguments.
// The program inherits its listener, so that its address is known without its log.
func startInShell(t *testing.T, script string, stderr io.Writer, args ...string) *exportertest.Process {
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
	p := exportertest.Run(t, cmd)
	p.URL = "http://" + l.Addr().String()
	return p
}

// TestLogThatCannotBeWritten is that the exporter works without its log.
func TestLogThatCannotBeWritten(t *testing.T) {
	for name, script := range map[string]string{
		"disk full":   `exec "$@" 2>/dev/full`,
		"closed":      `exec "$@" 2>&-`,
		"all closed":  `exec "$@" <&- >&- 2>&-`,
		"reader gone": `exec "$@"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hmp := hmpsim.New()
			hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
			file := exportertest.Configure(t, hmp, "playout")
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p := startInShell(t, script, w, "--config.file="+file, "--log.level=debug")
			_ = w.Close()
			_ = r.Close()
			if _, body := p.Get(t, "/metrics"); !strings.Contains(body, playoutValid) {
				t.Error("the session is not valid")
			}
			hmp.SetToken(canary.Word+"-playout", hmpsim.NoRoles()) // which is logged
			if _, body := p.Get(t, "/metrics"); !strings.Contains(body, playoutNoRoles) {
				t.Error("the session has a role")
			}
			exportertest.WriteFile(t, file, "nonsense") // a failed reload is logged too
			p.Signal(t, syscall.SIGHUP)
			exportertest.WaitFor(t, "the reload to fail", func() bool {
				_, body := p.Get(t, "/metrics")
				return strings.Contains(body, reloadFailed)
			})
			if err := p.Stop(t); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestLogOfUnaskedAnswers has an HMP that sends more on a kept connection than it was asked
// for. net/http would write that to the log.
func TestLogOfUnaskedAnswers(t *testing.T) {
	hmp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hmp.Close()
	closed := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := hmp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				requests := bufio.NewReader(conn)
				if _, err := http.ReadRequest(requests); err != nil {
					return
				}
				session := `{"data":{}}`
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s", len(session), session, `{"authToken":"`+canary.Word+`"}`)
				_, _ = io.Copy(io.Discard, requests) // until the exporter closes the connection
				closed <- struct{}{}
			}()
		}
	}()

	file := t.TempDir() + "/hmp.yml"
	exportertest.WriteFile(t, file, fmt.Sprintf("targets: [{name: studio, url: 'http://%s', keep_alive: true, sessions: [{name: a, token: t}]}]", hmp.Addr()))
	p := start(t, "--config.file="+file, "--log.level=debug")
	for range 10 {
		if _, body := p.Get(t, "/probe?target=studio"); !strings.Contains(body, `hmp_session_valid{session="a",target="studio"} 1`) {
			t.Errorf("the session is not valid:\n%s", body)
		}
		<-closed
	}
	stop(t, p)
	if strings.Contains(p.Log.String(), "authToken") {
		t.Errorf("the log repeats it:\n%s", p.Log)
	}
}
