package app

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// setGCPercent sets how large the garbage may be, in percent of the memory in use, unless GOGC
// is set. Go's default is 100. With few sessions little memory is in use: 200 costs some
// megabytes, and a probe takes up to a tenth less CPU time. With many sessions, the memory is
// worth more. docs/performance.md has the figures.
func setGCPercent(sessions int) {
	const few = 2000
	if os.Getenv("GOGC") != "" {
		return
	}
	if sessions <= few {
		debug.SetGCPercent(200)
	} else {
		debug.SetGCPercent(100)
	}
}

// limitMemory keeps the memory within nine tenths of what the container may have, unless GOMEMLIMIT
// is set.
func limitMemory(logger log.Logger) {
	limit, err := memlimit.Set()
	switch {
	case err != nil:
		_ = level.Debug(logger).Log("msg", "the memory of the container is not known", "err", err)
	case limit < math.MaxInt64:
		_ = level.Info(logger).Log("msg", "limited the memory", "bytes", limit)
	}
}
