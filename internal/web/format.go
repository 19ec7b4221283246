package web

import (
	"fmt"
	"time"

	"hmp_exporter/internal/report"
)

// An expiry is the end of a token or certificate. Soon is true if less time is left than a limit,
// or none. The pages highlight it then.
type expiry struct {
	Time       time.Time
	Past, Soon bool
}

// newExpiry returns nil for a time that is not known.
func newExpiry(t time.Time, soon time.Duration) *expiry {
	if t.IsZero() {
		return nil
	}
	left := time.Until(t)
	return &expiry{t, left < 0, left < soon}
}

// relative says how far ahead a time is.
func relative(ahead time.Duration) string {
	switch {
	case ahead > 0:
		return "in " + age(ahead)
	case ahead > -2*time.Second:
		return "just now"
	default:
		return age(-ahead) + " ago"
	}
}

// age formats a duration in its largest unit.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return fmt.Sprintf("%d days", d/day)
	}
}

// latency formats a duration with two or three significant digits.
func latency(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d <= 0:
		return "0 ms"
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// size formats a number of bytes.
func size(bytes int64) string {
	switch n := float64(bytes); {
	case bytes < 1000:
		return report.Plural(int(bytes), "byte")
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", n/1e3)
	default:
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
}
