// Package memory has the garbage collector make good use of the memory that there is.
package memory

import (
	"errors"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// gcPercent is how large the garbage may be, in percent of the memory in use. Go's default is
// 100. With 150, a probe takes less CPU time, and the memory with 10,000 sessions keeps the
// promise in docs/performance.md.
const gcPercent = 150

// Tune has the garbage collector run less often, but keep within nine tenths of the
// memory that the container may have, unless GOGC and GOMEMLIMIT say otherwise. The
// runtime itself keeps to the container's processors.
func Tune(logger log.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit, err := memlimit.ApplyRatio(memlimit.FromCgroup, 0.9)()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit):
	case err != nil:
		_ = level.Debug(logger).Log("msg", "the memory of the container is not known", "err", err)
	case limit < math.MaxInt64:
		debug.SetMemoryLimit(int64(limit))
		_ = level.Info(logger).Log("msg", "limited the memory", "bytes", limit)
	}
}
