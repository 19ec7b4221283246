package canary

import (
	"strings"
	"sync"
	"testing"
)

// A Log is what a logger writes to. It is searched for secrets when the test ends.
// Many goroutines may use it at once.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// NewLog returns an empty log.
func NewLog(t testing.TB) *Log {
	t.Helper()
	l := new(Log)
	t.Cleanup(func() { Check(t, "the log", l.String()) })
	return l
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Reset forgets what was written; it is searched for secrets before.
func (l *Log) Reset(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	Check(t, "the log", l.text.String())
	l.text.Reset()
}
