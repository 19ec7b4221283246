// Package logging makes the program's log. It never waits for who reads it: a pipe
// that nobody empties must not hold up a probe. Lines that nobody reads are lost, and the
// log says how many.
package logging

import (
	"io"
	"log/slog"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"
)

// New returns the same log twice: for this program, and for the exporter toolkit,
// which wants another kind and adds the time and the caller itself. The format is
// logfmt or json. What was logged has been written when flush returns, if it can be;
// what is logged later is lost.
func New(w io.Writer, format, least string) (logger log.Logger, slogger *slog.Logger, flush func()) {
	encode := log.NewLogfmtLogger
	if format == "json" {
		encode = log.NewJSONLogger
	}
	direct := log.With(encode(w), "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
	lines := newWriter(w, func(dropped int64) {
		_ = level.Warn(direct).Log("msg", "dropped log lines", "count", dropped)
	})
	bare := encode(lines)
	bare = level.NewFilter(bare, level.Allow(level.ParseDefault(least, level.InfoValue())))
	return log.With(bare, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller),
		slog.New(sloggokit.NewGoKitHandler(inUTC(bare), slog.LevelDebug)),
		lines.flush
}

// inUTC writes times in UTC, as the other lines of the log have them; slog has local ones.
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
