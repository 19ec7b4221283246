package web

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.FixedZone("", 7200))
	for _, c := range []struct {
		ahead time.Duration
		want  string
	}{
		{-time.Second, "just now"}, {0, "just now"}, {-3 * time.Second, "3 s ago"}, {-119 * time.Second, "119 s ago"},
		{-2 * time.Minute, "2 min ago"}, {-119 * time.Minute, "119 min ago"}, {-3 * time.Hour, "3 h ago"}, {-72 * time.Hour, "3 days ago"},
		{30 * time.Second, "in 30 s"}, {364 * 24 * time.Hour, "in 364 days"},
	} {
		m := momentOf(now.Add(c.ahead), now, time.Minute)
		if m.Ago != c.want || m.Past != (c.ahead < 0) || m.Soon != (c.ahead < time.Minute) {
			t.Errorf("%v ahead: got %+v, want %q", c.ahead, m, c.want)
		}
	}
	want := moment{ISO: "2026-05-04T01:02:01Z", UTC: "2026-05-04 01:02:01 UTC", Ago: "just now", Soon: true}
	if got := momentOf(now, now, time.Second); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := momentOf(time.Time{}, now, 0); got != (moment{}) {
		t.Errorf("no time is %+v", got)
	}
}

func TestLatency(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 340 * time.Microsecond: "0.3 ms", 24 * time.Millisecond: "24 ms", 1234 * time.Millisecond: "1.23 s", 65 * time.Second: "65.00 s",
	} {
		if got := latency(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1234: "1.2 kB", 1_048_576: "1.0 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
