//go:build linux

package bench

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"crypto/tls"
	"crypto/x509"

	"golang.org/x/sync/errgroup"
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
	x := &program{setup: s, name: name, path: "../../.tools/" + name}
	x.args = []string{"--config.file=" + file, "--log.level=error", "--web.systemd-socket"}
	x.probe = request{path: "/probe?module={session}&target=" + url.QueryEscape(hmpURL+hmpsim.Endpoint), scraped: s.sessions, sessions: 1}
	x.metrics = request{path: "/metrics", scraped: []string{""}, sessions: len(s.sessions)}
	config, module := []byte("modules:\n"), ""
	switch name {
	case baseline:
		text, err := json.Marshal(baselineConfig{hmpURL, ca, s.kept, len(s.sessions)})
		must(b, err)
		x.path, x.args, x.env = os.Args[0], nil, []string{baselineVariable + "=" + string(text)}
		x.probe.path = "/probe?session={session}"
		x.probe.line, x.metrics.line = "hmp_session_valid ", "hmp_session_valid "
	case ours:
		x.path, x.args = "../../hmp_exporter", append(x.args, "--web.max-requests=0")
		x.probe.path = "/probe?target=bench&session={session}"
		x.probe.line, x.metrics.line = `hmp_session_valid{session="{session}"`, "hmp_session_valid{"
		config = fmt.Appendf(nil, "targets:\n- name: bench\n  url: %s\n  keep_alive: %t\n  %s\n  sessions:\n", hmpURL, s.kept, strings.TrimPrefix(tlsConfig, ", "))
		module = ourSession
	case blackbox:
		x.args = append(x.args, "--log.prober=error", "--web.external-url=http://localhost")
		x.probe.line, module = "probe_success ", blackboxModule
	case jsonExporter:
		x.probe.line, module = "hmp_session_service_message_present{", jsonModule
	}
	if module != "" {
		for _, session := range s.sessions {
			config = fmt.Appendf(config, module, session, tlsConfig)
		}
		must(b, os.WriteFile(file, config, 0o600))
	}
	b.Cleanup(x.stop)
	return x
}

// start starts the program on a listener that is open already, as systemd does. The kernel ends the
// program if the benchmark dies.
func (x *program) start(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	must(b, err)
	defer file.Close()
	x.url = "http://" + l.Addr().String()
	x.process = exec.Command("/bin/sh", append([]string{"-c", `export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"`, "sh", x.path}, x.args...)...)
	x.process.Env = append([]string{}, x.env...) // not nil, which is the environment of the benchmark
	x.process.ExtraFiles, x.process.Stderr = []*os.File{file}, os.Stderr
	x.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(b, x.process.Start())
}

func (x *program) stop() {
	if x.process != nil {
		_ = x.process.Process.Kill()
		_ = x.process.Wait() // the error says that it was killed
	}
	x.process = nil
}

// cpu returns the CPU time of the process. This clock counts nanoseconds, and the threads that have
// ended. The files in /proc do not.
func (x *program) cpu(b *testing.B) time.Duration {
	var used unix.Timespec
	must(b, unix.ClockGettime(int32(^x.process.Process.Pid<<3|2), &used)) // as clock_getcpuclockid(3)
	return time.Duration(used.Nano())
}

// memory returns a line of /proc/PID/status, in bytes.
func (x *program) memory(b *testing.B, line string) (size float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", x.process.Process.Pid))
	must(b, err)
	_, rest, _ := strings.Cut(string(status), line+":")
	_, err = fmt.Sscan(rest, &size)
	must(b, err)
	return size * 1024
}

// resetPeak sets VmHWM to VmRSS.
func (x *program) resetPeak(b *testing.B) {
	must(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", x.process.Process.Pid), []byte("5"), 0o600))
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

const baselineVariable = "HMP_EXPORTER_BENCH_BASELINE"

type baselineConfig struct {
	HMP, CA  string
	Kept     bool
	Sessions int
}

// TestMain runs the tests, or the baseline if the environment has its configuration.
func TestMain(m *testing.M) {
	if config := os.Getenv(baselineVariable); config != "" {
		fmt.Fprintln(os.Stderr, runBaseline(config))
		os.Exit(1)
	}
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		printMachine()
	}
	os.Exit(m.Run())
}

// runBaseline serves the least that an exporter can do: for each session a GET whose answer is thrown
// away, and a line of text.
func runBaseline(text string) error {
	var config baselineConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(config.CA))
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: !config.Kept, DisableCompression: true, MaxIdleConnsPerHost: 256,
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	get := func(session string) error {
		req, err := http.NewRequest(http.MethodGet, config.HMP+hmpsim.Endpoint, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer CANARY-"+session)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the HMP answered %s", resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	answer := func(w http.ResponseWriter, sessions int, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "# TYPE hmp_session_valid gauge\n"+strings.Repeat("hmp_session_valid 1\n", sessions))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/probe", func(w http.ResponseWriter, r *http.Request) { answer(w, 1, get(r.FormValue("session"))) })
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var group errgroup.Group
		group.SetLimit(256) // as many as the exporter probes at once
		for _, session := range sessionNames(config.Sessions) {
			group.Go(func() error { return get(session) })
		}
		answer(w, config.Sessions, group.Wait())
	})
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	return http.Serve(listener, mux)
}

// printMachine writes lines that benchstat takes as the configuration of the benchmarks.
func printMachine() {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _ := exec.Command("../../hmp_exporter", "--version").Output()
	line, _, _ := strings.Cut(string(version), "\n")
	fmt.Fprintf(os.Stdout, "cores: %d\nkernel: %shmp_exporter: %s\n", runtime.NumCPU(), kernel, strings.TrimPrefix(line, "hmp_exporter, "))
	for _, peer := range []string{blackbox, jsonExporter} {
		if info, err := buildinfo.ReadFile("../../.tools/" + peer); err == nil {
			fmt.Fprintf(os.Stdout, "%s: %s, built with %s\n", peer, info.Main.Version, info.GoVersion)
		}
	}
}
