package web

import (
	"fmt"
	"strings"
	"time"
)

// A moment is a point in time as a page shows it.
type moment struct {
	ISO  string // for machines; "" if the time is not known
	UTC  string
	Ago  string // or how far ahead
	Past bool
	Soon bool // it is less than a given time ahead, or past
}

// momentOf returns the moment of t as seen now. It is soon if less than margin away.
func momentOf(t, now time.Time, margin time.Duration) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	m := moment{
		ISO:  t.Format("2006-01-02T15:04:05Z"),
		UTC:  t.Format("2006-01-02 15:04:05") + " UTC",
		Past: t.Before(now),
		Soon: t.Sub(now) < margin,
	}
	switch ahead := t.Sub(now); {
	case ahead > 0:
		m.Ago = "in " + age(ahead)
	case ahead > -2*time.Second:
		m.Ago = "just now"
	default:
		m.Ago = age(-ahead) + " ago"
	}
	return m
}

// age writes how long something lasts, in its largest unit.
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

// latency writes how long something took, with two or three digits that count.
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

// size writes a number of bytes.
func size(bytes int64) string {
	switch n := float64(bytes); {
	case bytes == 1:
		return "1 byte"
	case bytes < 1000:
		return fmt.Sprintf("%d bytes", bytes)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", n/1e3)
	default:
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
}

// count writes a number of things: "1 session", "2 sessions".
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// commas writes names in a row.
func commas(names []string) string { return strings.Join(names, ", ") }
