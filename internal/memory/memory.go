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

// gcPercent is how much the garbage may be to what is in use, in percent: twice as much
// as by default. What is in use is little, so that this costs few megabytes, and takes
// a tenth off what a probe costs.
const gcPercent = 200

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
