package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// How long a program may take to start or to stop on a busy machine.
const patience = 2 * time.Minute

// A process is a running program under test.
type process struct {
	name   string
	pid    int // gets the signal; not the child's own where the child only runs the program
	output lockedBuffer
	exited chan error
}

// start runs a command until the test ends. Its output is shown if the test fails.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: cmd.Args[0], exited: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("failed to start %s: %v", p.name, err)
	}
	p.pid = cmd.Process.Pid
	reaped := make(chan struct{})
	go func() {
		p.exited <- cmd.Wait()
		close(reaped)
	}()
	t.Cleanup(func() {
		<-reaped // the command's context is the test's, which has just ended
		noCanary(t, "the output of "+p.name, p.output.String())
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, p.output.String())
		}
	})
	return p
}

// noCanary looks for the word that secrets in tests have, and nothing else has.
func noCanary(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, "CANARY") {
		t.Errorf("%s tells a secret:\n%s", what, text)
	}
}

// command is a command that ends with the test: asked first, so that it can end its own children, then killed. A test
// whose command this machine does not have is left out.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, name)
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// need leaves a test out if this machine does not have a program.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		exportertest.LeaveOut(t, "%s is missing", filepath.Base(program))
	}
}

var addressPattern = regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`)

// url waits until the program is ready to serve and returns where. Every program here was told to take a free port, and
// says in its log which; of the addresses in there, its own is the one that calls itself ready.
func (p *process) url(t *testing.T) string {
	t.Helper()
	var url string
	eventually(t, p.name+" is ready", func() error {
		for _, address := range addressPattern.FindAllString(p.output.String(), -1) {
			url = "http://" + address
			if res, err := fetch(t, url+"/-/ready", nil); err == nil && res.status == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-p.exited:
			p.exited <- err
			t.Fatalf("%s ended: %v", p.name, err)
		default:
		}
		return errors.New("no address in its output answers")
	})
	return url
}

// stop asks the program to end, as a service manager or a container engine does, and expects a clean exit.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(p.pid, syscall.SIGTERM); err != nil {
		t.Fatalf("failed to signal %s: %v", p.name, err)
	}
	select {
	case err := <-p.exited:
		if err != nil {
			t.Errorf("%s after SIGTERM: %v, want exit status 0", p.name, err)
		}
	case <-time.After(patience):
		t.Fatalf("%s still runs %s after SIGTERM", p.name, patience)
	}
}

// eventually tries a condition until it holds, and fails the test with the condition's last error when patience ends.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	within(t, patience, what, condition)
}

// within is eventually with a patience of its own.
func within(t *testing.T, limit time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s until %s: %v", limit, what, err)
		}
	}
}

// A lockedBuffer is written by a command while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
