package crash

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A pretender looks like an error of the runtime, but for the method that only those have.
type pretender struct{ error }

func TestLog(t *testing.T) {
	var list []int
	var nothing *pretender
	var secret any = canary.Word
	tests := []struct {
		name  string
		panic func()
		says  string
	}{
		{"index", func() { _ = list[3] }, `panic="runtime error: index out of range [3] with length 0"`},
		{"nil pointer", func() { _ = nothing.error }, "nil pointer dereference"},
		{"type of a secret", func() { _ = secret.(int) }, "interface {} is string, not int"},
		{"secret", func() { panic(canary.Word) }, "panic=string"},
		{"secret in an error", func() { panic(errors.New(canary.Word)) }, "panic=*errors.errorString"},
		{"secret in a struct", func() { panic(pretender{errors.New(canary.Word)}) }, "panic=crash.pretender"},
		{"nil", func() { panic(nil) }, "panic called with nil"}, //nolint:govet // it is what is tried
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := canary.NewLog(t)
			func() {
				defer func() { Log(log.NewLogfmtLogger(out), recover(), "target", "studio") }()
				tt.panic()
			}()
			for _, part := range []string{"level=error", "target=studio", tt.says, "crash.TestLog"} {
				if !strings.Contains(out.String(), part) {
					t.Errorf("the line does not have %q:\n%s", part, out)
				}
			}
			if n := strings.Count(out.String(), "\n"); n != 1 {
				t.Errorf("it is %d lines", n)
			}
		})
	}
}
