//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hmp_exporter/internal/hmpsim"
)

// The measured programs, as the tables name them.
const (
	baseline     = "baseline"
	ours         = "hmp_exporter"
	blackbox     = "blackbox_exporter"
	jsonExporter = "json_exporter"
)

// An hmp is a simulated HMP, served over http and TLS.
type hmp struct {
	sim *hmpsim.Server
	url map[string]string // by transport
	ca  string
}

// payloads are the names of sessions with a large body, and its size.
var payloads = []struct {
	name  string
	bytes int64
}{{"1MB", 1e6}, {"8MB", 8e6}, {"64MB", 64e6}}

func startHMP(b *testing.B) *hmp {
	authority, err := hmpsim.NewAuthority()
	must(b, err)
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	must(b, err)
	h := &hmp{hmpsim.New(), make(map[string]string), string(authority.PEM())}
	for _, name := range sessionNames(*maxSessions) {
		h.sim.SetToken("CANARY-"+name, hmpsim.Valid(hmpsim.ExampleSession()))
	}
	for _, p := range payloads {
		h.sim.SetToken("CANARY-"+p.name, hmpsim.Large(hmpsim.ExampleSession(), p.bytes))
	}
	for transport, config := range map[string]hmpsim.ListenConfig{"http": {}, "TLS": {Certificate: &certificate}} {
		listening, err := h.sim.Start(config)
		must(b, err)
		b.Cleanup(listening.Close)
		h.url[transport] = listening.URL
	}
	return h
}

func sessionNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%05d", i)
	}
	return names
}

// A setup is what a program asks, and how.
type setup struct {
	hmp       *hmp
	transport string
	kept      bool // connections to the HMP
	sessions  []string
}

// A program is one whose cost is measured.
type program struct {
	setup
	name, path     string
	args, env      []string
	probe, metrics request
	process        *exec.Cmd // nil if it does not run
	url            string
}

// In the configuration of a peer, each session is a module, because the token is in the module. The
// regular expression of blackbox_exporter must match the beginning of a session. json_exporter exports
// the two values of a session that it can.
const (
	ourSession     = "  - {name: %[1]s, token: CANARY-%[1]s}\n"
	blackboxModule = `  %[1]s: {prober: http, http: {authorization: {credentials: CANARY-%[1]s}, follow_redirects: false, enable_http2: false%[2]s,
    preferred_ip_protocol: ip4, ip_protocol_fallback: false, valid_status_codes: [200], fail_if_body_not_matches_regexp: ['^\{"data":\{']}}
`
	jsonModule = `  %[1]s:
    http_client_config: {authorization: {credentials: CANARY-%[1]s}, follow_redirects: false, enable_http2: false%[2]s}
    valid_status_codes: [200]
    metrics:
    - {name: hmp_session_admin, path: '{ .data.admin }', valuetype: gauge}
    - {name: hmp_session_service_message, type: object, valuetype: gauge, path: '{ .data.serviceMessages[*] }', labels: {message: '{ @ }'}, values: {present: '1'}}
`
)

// newProgram writes the configuration of a program.
func newProgram(b *testing.B, s setup, name string) *program {
	file := filepath.Join(b.TempDir(), "config.yml")
	hmpURL, ca, tlsConfig := s.hmp.url[s.transport], "", ""
	if s.transport == "TLS" {
		ca, tlsConfig = s.hmp.ca, fmt.Sprintf(", tls_config: {ca: %q}", s.hmp.ca)
	}
	p := &program{setup: s, name: name, path: "../../.tools/" + name}
	p.args = []string{"--config.file=" + file, "--log.level=error", "--web.systemd-socket"}
	p.probe = request{path: "/probe?module={session}&target=" + url.QueryEscape(hmpURL+hmpsim.Endpoint), scraped: s.sessions, sessions: 1}
	p.metrics = request{path: "/metrics", scraped: []string{""}, sessions: len(s.sessions)}
	config, module := []byte("modules:\n"), ""
	switch name {
	case baseline:
		text, err := json.Marshal(baselineConfig{hmpURL, ca, s.kept, len(s.sessions)})
		must(b, err)
		p.path, p.args, p.env = os.Args[0], nil, []string{baselineVariable + "=" + string(text)}
		p.probe.path = "/probe?session={session}"
		p.probe.line, p.metrics.line = "hmp_session_valid ", "hmp_session_valid "
	case ours:
		p.path, p.args = "../../hmp_exporter", append(p.args, "--web.max-requests=0")
		p.probe.path = "/probe?target=bench&session={session}"
		p.probe.line, p.metrics.line = `hmp_session_valid{session="{session}"`, "hmp_session_valid{"
		config = fmt.Appendf(nil, "targets:\n- name: bench\n  url: %s\n  keep_alive: %t\n  %s\n  sessions:\n", hmpURL, s.kept, strings.TrimPrefix(tlsConfig, ", "))
		module = ourSession
	case blackbox:
		p.args = append(p.args, "--log.prober=error", "--web.external-url=http://localhost")
		p.probe.line, module = "probe_success ", blackboxModule
	case jsonExporter:
		p.probe.line, module = "hmp_session_service_message_present{", jsonModule
	}
	if module != "" {
		for _, session := range s.sessions {
			config = fmt.Appendf(config, module, session, tlsConfig)
		}
		must(b, os.WriteFile(file, config, 0o600))
	}
	b.Cleanup(p.stop)
	return p
}

// start starts the program on a listener that is open already, as systemd does. The kernel ends the
// program if the benchmark dies.
func (p *program) start(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	must(b, err)
	defer file.Close()
	p.url = "http://" + l.Addr().String()
	p.process = exec.Command("/bin/sh", append([]string{"-c", `export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"`, "sh", p.path}, p.args...)...)
	p.process.Env = append([]string{}, p.env...) // not nil, which is the environment of the benchmark
	p.process.ExtraFiles, p.process.Stderr = []*os.File{file}, os.Stderr
	p.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(b, p.process.Start())
}

func (p *program) stop() {
	if p.process != nil {
		_ = p.process.Process.Kill()
		_ = p.process.Wait() // the error says that it was killed
	}
	p.process = nil
}

// cpu returns the CPU time of the process. This clock counts nanoseconds, and the threads that have
// ended. The files in /proc do not.
func (p *program) cpu(b *testing.B) time.Duration {
	var used unix.Timespec
	must(b, unix.ClockGettime(int32(^p.process.Process.Pid<<3|2), &used)) // as clock_getcpuclockid(3)
	return time.Duration(used.Nano())
}

// memory returns a line of /proc/PID/status, in bytes.
func (p *program) memory(b *testing.B, line string) (size float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	must(b, err)
	_, rest, _ := strings.Cut(string(status), line+":")
	_, err = fmt.Sscan(rest, &size)
	must(b, err)
	return size * 1024
}

// resetPeak sets VmHWM to VmRSS.
func (p *program) resetPeak(b *testing.B) {
	must(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.process.Process.Pid), []byte("5"), 0o600))
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
