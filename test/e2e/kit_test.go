package e2e

import (
	"encoding/json"
	"errors"
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

	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

const exporterBinary = "../../hmp_exporter"

// tool returns the path of a program that the Makefile builds.
func tool(name string) string { return filepath.Join("../../.tools", name) }

// need skips the test if this machine does not have a program.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		exportertest.LeaveOut(t, "%s is missing", filepath.Base(program))
	}
}

// command returns a command that ends with the test.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, name)
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.WaitDelay = exportertest.Timeout // a child that outlives it may hold its output open
	return cmd
}

// output runs a command, which must succeed, and returns its output.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, text)
	}
	return string(text)
}

// run runs a program, which must succeed, and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return output(t, command(t, name, args...))
}

// A process is a program that serves HTTP.
type process struct {
	*exportertest.Process
	name string
}

// start runs a command until the test ends. If the test fails, it shows the output.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	log := canary.NewLog(t)
	cmd.Stdout, cmd.Stderr = log, log
	p := &process{exportertest.Run(t, cmd), cmd.Args[0]}
	p.Log = log
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, log)
		}
	})
	return p
}

var addressPattern = regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`)

// waitForURL waits until the program is ready, and returns its URL. Each program takes a free port
// and logs it. Of all addresses in the log, its own is the one that answers /-/ready.
func (p *process) waitForURL(t *testing.T) (url string) {
	t.Helper()
	exportertest.Eventually(t, p.name+" to be ready", func() error {
		for _, address := range addressPattern.FindAllString(p.Log.String(), -1) {
			url = "http://" + address
			p.URL = url
			if res, err := fetch(t, url+"/-/ready", nil); err == nil && res.status == http.StatusOK {
				return nil
			}
		}
		if p.ended() {
			t.Fatalf("%s ended: %v", p.name, p.Err())
		}
		return errors.New("no address in its output answers")
	})
	return url
}

// address returns the host and the port.
func (p *process) address() string { return strings.TrimPrefix(p.URL, "http://") }

func (p *process) ended() bool {
	select {
	case <-p.Ended():
		return true
	default:
		return false
	}
}

// stop sends SIGTERM and checks that the program exits with 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil {
		t.Fatalf("failed to signal %s: %v", p.name, err)
	}
	exportertest.WaitFor(t, p.name+" to end after SIGTERM", p.ended)
	if err := p.Err(); err != nil {
		t.Errorf("%s after SIGTERM: %v, want exit status 0", p.name, err)
	}
}

type response struct {
	status int
	header http.Header
	body   []byte
}

// fetch sends a GET.
func fetch(t *testing.T, url string, header http.Header) (*response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	client := http.Client{Timeout: exportertest.Timeout}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("failed to read %s: %w", url, err)
	}
	canary.Check(t, url, fmt.Sprint(res.Header, string(body)))
	return &response{status: res.StatusCode, header: res.Header, body: body}, nil
}

// get sends a GET that must be answered with 200, and returns the body.
func get(t *testing.T, url string) string {
	t.Helper()
	res, err := fetch(t, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.status != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200\n%s", url, res.status, res.body)
	}
	return string(res.body)
}

// getJSON decodes the answer to a GET.
func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	body := get(t, url)
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%s is not JSON: %v\n%s", url, err, body)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// write writes a file into a directory and returns its path. Everybody may read it.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// glob returns the files that match a pattern. There must be one.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no %s: %v", pattern, err)
	}
	return files
}

// readYAML decodes a YAML file.
func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// toYAML encodes a value.
func toYAML(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
