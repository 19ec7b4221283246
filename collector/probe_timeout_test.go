package collector

import (
	"strconv"
	"testing"
	"time"
)

func TestProbeTimeout(t *testing.T) {
	const timeout = 10 * time.Second
	tests := []struct {
		name   string
		header string
		offset time.Duration
		want   time.Duration
	}{
		{"no header", "", offset, timeout},
		{"less the offset", "5", offset, 4500 * time.Millisecond},
		{"a fraction", "2.25", offset, 1750 * time.Millisecond},
		{"no offset", "5", 0, 5 * time.Second},
		{"the timeout is less", "60", offset, timeout},
		{"the timeout is just less", "10.5", offset, timeout},
		{"the timeout is just more", "10.4", offset, 9900 * time.Millisecond},
		{"as long as the timeout", "10", offset, 9500 * time.Millisecond},
		{"half where the offset takes more", "0.8", offset, 400 * time.Millisecond},
		{"half where the offset takes all", "0.5", offset, 250 * time.Millisecond},
		{"half where the offset takes more than all", "0.1", offset, 50 * time.Millisecond},
		{"half of hardly anything", "1e-9", offset, 1},
		{"more than nothing", "1e-300", offset, 1},
		{"zero", "0", offset, timeout},
		{"less than zero", "-5", offset, timeout},
		{"a unit", "5s", offset, timeout},
		{"text", "soon", offset, timeout},
		{"two numbers", "5, 5", offset, timeout},
		{"not a number", "NaN", offset, timeout},
		{"for ever", "+Inf", offset, timeout},
		{"more than a duration holds", "1e300", offset, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := probeTimeout(timeout, tt.header, tt.offset); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzProbeTimeout(f *testing.F) {
	for _, header := range []string{"", "10", "0.4", "1e-9", "-1", "NaN", "Inf", "1e999", "0x1p-3", "9.999999999"} {
		f.Add(int64(10*time.Second), header, int64(offset))
	}
	f.Fuzz(func(t *testing.T, timeoutNS int64, header string, offsetNS int64) {
		// Nobody can configure others.
		timeout := time.Duration(1 + (uint64(timeoutNS) % uint64(365*24*time.Hour)))
		offset := time.Duration(uint64(offsetNS) % uint64(365*24*time.Hour))
		d := probeTimeout(timeout, header, offset)
		if d <= 0 || d > timeout {
			t.Errorf("got %v, want more than 0 and at most %v", d, timeout)
		}
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil || !(seconds >= 1e-6) || seconds > 1e9 {
			return // no sensible number
		}
		scrape := time.Duration(seconds * float64(time.Second))
		if d > scrape {
			t.Errorf("got %v, want at most the scrape's %v", d, scrape)
		}
		if least := min(timeout, scrape/2); d < least {
			t.Errorf("got %v, want at least %v", d, least)
		}
	})
}
