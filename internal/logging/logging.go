// Package logging makes the program's log. A probe never waits until somebody reads the log.
// If nobody reads it, lines are lost, and a later line says how many.
package logging

import (
	"io"
	"log/slog"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"
)

// New returns a logger for this program, and one for the exporter toolkit that writes to the
// same log. The format is logfmt or json. flush returns when all lines have been written, or
// after a second if nobody reads them. Later lines are lost.
func New(w io.Writer, format, minimum string) (logger log.Logger, slogger *slog.Logger, flush func()) {
	encode := log.NewLogfmtLogger
	if format == "json" {
		encode = log.NewJSONLogger
	}
	direct := log.With(encode(w), "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
	lines := newWriter(w, func(dropped int64) {
		_ = level.Warn(direct).Log("msg", "dropped log lines", "count", dropped)
	})
	bare := level.NewFilter(encode(lines), level.Allow(level.ParseDefault(minimum, level.InfoValue())))
	return log.With(bare, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller),
		slog.New(sloggokit.NewGoKitHandler(inUTC(bare), slog.LevelDebug)), // adds the time and the caller itself
		lines.flush
}

// inUTC writes the local times of slog in UTC, like those of the other lines.
func inUTC(next log.Logger) log.Logger {
	return log.LoggerFunc(func(pairs ...any) error {
		for i, value := range pairs {
			if t, ok := value.(time.Time); ok {
				pairs[i] = t.UTC()
			}
		}
		return next.Log(pairs...)
	})
}
