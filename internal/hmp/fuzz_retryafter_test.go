package hmp

import (
	"math/big"
	"net/http"
	"regexp"
	"testing"
	"time"
)

var digits = regexp.MustCompile(`^\d+$`)

// What the far side asks to wait is between nothing and a day: a number of seconds
// is honoured as far as that goes, a date as far as it is ahead.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC).Unix()
	for _, value := range []string{
		"", "0", "120", "007", "86400", "86401", "4294967296", "18446744073709551616", "-5", "+5", "1.5", "1e3", "0x10", "1_000", " 1", "5s", "soon",
		"Tue, 03 Feb 2026 04:06:06 GMT", "Tuesday, 03-Feb-26 04:06:06 GMT", "Tue Feb  3 04:06:06 2026", "Tue, 03 Feb 2026 04:05:05 GMT",
		"Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Tue, 03 Feb 2026 04:06:06",
	} {
		f.Add(value, now)
	}
	f.Add("0", int64(1)<<62)
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		now := time.Unix(unix%(1<<38), 0) // within eight thousand years
		got := retryAfter(value, now)
		if got < 0 || got > 24*time.Hour {
			t.Fatalf("%q at %v: got %v", value, now, got)
		}
		var want time.Duration
		date, err := http.ParseTime(value)
		switch day := big.NewInt(24 * 60 * 60); {
		case digits.MatchString(value):
			n, _ := new(big.Int).SetString(value, 10)
			if n.Cmp(day) > 0 {
				n = day
			}
			want = time.Duration(n.Int64()) * time.Second
		case err == nil && date.After(now):
			want = min(date.Sub(now), 24*time.Hour)
		}
		if got != want {
			t.Errorf("%q at %v: got %v, want %v", value, now, got, want)
		}
	})
}
