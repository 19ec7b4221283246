package collector

import (
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hmp_exporter/internal/hmp"
)

// reasonLogInterval is the minimum time between two log lines of a session whose reason
// changes while its result stays.
const reasonLogInterval = time.Minute

// logged is the last log line about a session.
type logged struct {
	result    hmp.Result
	suspended bool
	reason    string
	at        time.Time
}

// update reports whether to log a result. A session that fails for a month gets one line,
// not one per scrape, unless its reason changes.
func (l *logged) update(r *Result) bool {
	if r.Panicked { // the panic has its own log line
		*l = logged{}
		return false
	}
	next := logged{result: r.Result, suspended: r.suspended(), reason: withoutDigits(r.Reason), at: r.Start}
	switch {
	case next.result != l.result, next.suspended && !l.suspended:
	case next.reason != l.reason && !r.Valid() && r.Start.Sub(l.at) >= reasonLogInterval:
	default:
		l.suspended = next.suspended
		return false
	}
	*l = next
	return true
}

// withoutDigits removes ports and times from a reason, which differ from probe to probe.
func withoutDigits(reason string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, reason)
}

// logLogin logs the login of a probe, if it sent one.
func logLogin(logger log.Logger, r *Result) {
	if r.Logins != nil && r.Logins.InProbe != "" {
		_ = level.Debug(logger).Log("msg", "login", "target", r.Target, "session", r.Session, "result", LoginResult(r.Logins.InProbe))
	}
}

// logChange logs a changed result.
func logChange(logger log.Logger, before, r *Result) {
	switch {
	case !r.Valid():
		_ = level.Warn(logger).Log(failure(r)...)
	case r.suspended():
		_ = level.Warn(logger).Log("msg", "logins of the API key are suspended, and the session is still valid", "target", r.Target, "session", r.Session)
	case before == nil:
		_ = level.Debug(logger).Log("msg", "session is valid", "target", r.Target, "session", r.Session)
	default:
		_ = level.Info(logger).Log("msg", "session is valid again", "target", r.Target, "session", r.Session, "was", before.ResultName())
	}
}

// failure returns the keys and values of the log line about a result that is not valid.
func failure(r *Result) []any {
	info := r.Result.Info()
	pairs := []any{"msg", "session is not valid", "target", r.Target, "session", r.Session, "result", string(r.Result), "meaning", info.Meaning}
	if r.StatusCode != 0 {
		pairs = append(pairs, "status", r.StatusCode)
	}
	if r.Code != "" {
		pairs = append(pairs, "code", string(r.Code))
	}
	if r.Reason != "" {
		pairs = append(pairs, "reason", r.Reason)
	}
	return append(pairs, "advice", info.Advice)
}
