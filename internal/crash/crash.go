// Package crash says of a panic what is safe to say: where it was, and what the
// runtime calls it. The value that somebody panicked with may tell a secret.
package crash

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Describe says what somebody panicked with: in the runtime's own words, or only
// of what type it is.
func Describe(what any) string {
	if err, ok := what.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", what)
}

// Log logs a panic that has just been recovered from, with the stack of this
// goroutine and pairs of keys and values that say where it was.
func Log(logger log.Logger, what any, where ...any) {
	pairs := append([]any{"msg", "a panic, which is a defect of this program: please report it with this line"}, where...)
	_ = level.Error(logger).Log(append(pairs, "panic", Describe(what), "stack", string(debug.Stack()))...)
}
