package probe

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/terminal"
	"hmp_exporter/internal/terminal/terminaltest"
)

// watched shows a report of all samples on a screen: before the first answer, when half of
// them are there, and at the end.
func watched(t *testing.T, s *terminaltest.Screen, between func()) (half, end string) {
	t.Helper()
	whole := sample()
	v := newLive(s.Terminal(), sampleSessions())
	r := newReport(sampleSessions())
	r.Duration = 10 * time.Millisecond
	v.watch(r)
	for _, a := range whole.Attempts[:10] {
		r.take(*a.Result)
	}
	r.Duration = 2345 * time.Millisecond
	v.watch(r)
	half = s.String()
	between()
	if err := v.end(whole); !errors.Is(err, ErrNotValid) {
		t.Errorf("it ended with %v", err)
	}
	return half, s.String()
}

func TestLive(t *testing.T) {
	half, end := watched(t, terminaltest.New(t, 100, 50), func() {})
	golden(t, "live_half.txt", half+"\n")
	golden(t, "live_end.txt", end+"\n")
	harmless(t, end)
}

// On a screen that is too low for the table, each session comes when it has answered,
// once; and the same if there are but few columns.
func TestLiveOnSmallScreens(t *testing.T) {
	for _, size := range []struct{ width, height int }{{100, 10}, {40, 10}, {40, 50}, {1, 1}} {
		s := terminaltest.New(t, size.width, size.height)
		half, end := watched(t, s, func() {})
		if size.height == 10 && strings.Count(half, "\n") != 10 {
			t.Errorf("%v: after ten answers, there is\n%s", size, half)
		}
		if size.width == 1 {
			continue // it is enough that nothing breaks
		}
		for _, a := range sample().Attempts {
			row := a.Target + strings.Repeat(" ", len("studio")-len(a.Target)) + "  " + a.Session
			if n := strings.Count(end, "\n"+row[:min(len(row), size.width-2)]); n < 1 {
				t.Errorf("%v: %s/%s is not there:\n%s", size, a.Target, a.Session, end)
			}
		}
	}
}

// A terminal that changes its size while it is written to keeps what it has, and gets
// the rest line by line.
func TestLiveResized(t *testing.T) {
	s := terminaltest.New(t, 100, 50)
	half, end := watched(t, s, func() { s.Width = 60 })
	if !strings.HasPrefix(end, half) {
		t.Errorf("what was there has changed:\n%s", end)
	}
	rest := end[len(half):]
	for _, a := range sample().Attempts {
		if n := strings.Count(rest, a.Target+strings.Repeat(" ", len("studio")-len(a.Target))+"  "+a.Session+" "); n != 1 {
			t.Errorf("%s/%s is there %d times:\n%s", a.Target, a.Session, n, rest)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the terminal has gone") }

func TestLiveWithoutReader(t *testing.T) {
	v := newLive(terminal.New(broken{}, false, func() (int, int) { return 80, 24 }), sampleSessions())
	v.watch(newReport(sampleSessions()))
	got := v.end(sample())
	if diff := cmp.Diff("failed to write what was found: the terminal has gone", got.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
