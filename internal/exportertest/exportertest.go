// Package exportertest helps tests that run the exporter as a process, and tests of documents.
//
// [Suite] builds the program. A test starts it with [Start], which takes the address from the
// log. The test talks to the process like a user: by HTTP and by signals. [CheckTables] keeps
// tables in documents equal to the code.
package exportertest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
)

// Timeout is how long a test waits for a condition. It is generous, for a busy machine.
const Timeout = 5 * time.Minute

// A Process is a running exporter.
type Process struct {
	URL string
	PID int
	Log *canary.Log // standard output and standard error, with Start

	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended
}

var listening = regexp.MustCompile(`msg="?Listening on"? address=(127\.0\.0\.1:\d+)`)

// Start runs a command until the test ends, and returns when the exporter listens. The
// command must choose a free port of 127.0.0.1.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	log := canary.NewLog(t)
	cmd.Stdout, cmd.Stderr = log, log
	p := Run(t, cmd)
	p.Log = log
	WaitFor(t, "the exporter to listen", func() bool {
		if m := listening.FindStringSubmatch(p.Log.String()); m != nil {
			p.URL = "http://" + m[1]
		}
		select {
		case <-p.ended:
			t.Fatalf("the exporter ended with %v:\n%s", p.err, p.Log)
		default:
		}
		return p.URL != ""
	})
	return p
}

// Run runs a command until the test ends, and returns at once. The caller sets the URL and
// handles the output.
func Run(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.PID = cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// Signal sends a signal to the exporter, unless it has ended.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// Stop sends SIGTERM and waits. It returns how the exporter ended.
func (p *Process) Stop(t testing.TB) error {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	return p.Err()
}

// Ended returns a channel that is closed when the exporter has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err waits until the exporter has ended and returns how: nil is exit code 0.
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Get returns the answer to a GET.
func (p *Process) Get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(p.URL + path) //nolint:noctx // the test's own timeout ends it
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

// WaitFor waits until a condition is true. It fails the test after [Timeout].
func WaitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	Eventually(t, what, func() error {
		if !condition() {
			return errors.New("the condition is false")
		}
		return nil
	})
}

// Eventually waits until a condition returns no error. After [Timeout] it fails the test with
// the last error.
func Eventually(t testing.TB, what string, condition func() error) {
	t.Helper()
	deadline := time.After(Timeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("timed out waiting for %s: %v", what, err)
		}
	}
}
