package logging

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// DescribePanic returns the text of a panic of the runtime. Of other values it returns only
// the type, because they can contain a secret.
func DescribePanic(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", value)
}

// Panic logs a panic that the caller has recovered, with the stack. where has the keys and
// values that say where it happened.
func Panic(logger log.Logger, value any, where ...any) {
	pairs := append([]any{"msg", "a panic, which is a defect of this program: please report it with this line"}, where...)
	_ = level.Error(logger).Log(append(pairs, "panic", DescribePanic(value), "stack", string(debug.Stack()))...)
}
