package canary

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// watched is set in the environment of tests whose output is watched.
const watched = "CANARY_WATCHED"

// Watch returns the tests of a package, to be run as they are or by
// [goleak.VerifyTestMain]. They run in a process of their own, whose output is
// searched for secrets: so it also finds one in the text of a panic that nobody
// recovers from. The tests fail if there is one.
//
// [goleak.VerifyTestMain]: https://pkg.go.dev/go.uber.org/goleak#VerifyTestMain
func Watch(m *testing.M) *Watched { return &Watched{m} }

// Watched are tests whose output is watched.
type Watched struct{ m *testing.M }

// Run returns the exit code.
func (w *Watched) Run() int {
	if os.Getenv(watched) != "" {
		return w.m.Run()
	}
	return run(exec.Command(os.Args[0], os.Args[1:]...), os.Stdout, os.Stderr) //nolint:gosec,noctx // it is this very program, and go test ends it
}

// run runs a command, passes its output on, and returns its exit code, or 1 if it
// printed a secret.
func run(cmd *exec.Cmd, stdout, stderr io.Writer) int {
	out, errs := &searcher{to: stdout}, &searcher{to: stderr}
	cmd.Env = append(cmd.Environ(), watched+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, errs
	err := cmd.Run()
	for _, s := range []*searcher{out, errs} {
		if s.found != "" {
			_, _ = fmt.Fprintf(stderr, "the tests printed a secret: …%s\n", s.found)
			return 1
		}
	}
	if code := cmd.ProcessState.ExitCode(); err == nil || code > 0 {
		return code
	}
	_, _ = fmt.Fprintf(stderr, "failed to run the tests: %v\n", err)
	return 1
}

// A searcher passes on what is written, and remembers the first secret in it.
type searcher struct {
	to io.Writer

	mu    sync.Mutex
	tail  []byte // of what was written, for a secret that comes in two parts
	found string
}

const longest = 200 // more than any form of the word, and some characters before it

func (s *searcher) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == "" {
		s.tail = append(s.tail, p...)
		s.found = Find(string(s.tail))
		s.tail = s.tail[max(0, len(s.tail)-longest):]
	}
	return s.to.Write(p)
}
