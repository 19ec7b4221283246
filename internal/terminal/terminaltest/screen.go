// Package terminaltest has a screen for tests of what is written to a terminal.
package terminaltest

import (
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/internal/terminal"
)

// A Screen is what a person sees of a terminal. It knows the sequences that package
// terminal writes, and fails the test at any other and at a line that is too long.
type Screen struct {
	Width, Height int

	t           testing.TB
	lines       [][]rune
	row, column int
}

// New returns an empty screen.
func New(t testing.TB, width, height int) *Screen {
	t.Helper()
	return &Screen{Width: width, Height: height, t: t}
}

// Terminal returns the terminal that the screen belongs to. It has colours.
func (s *Screen) Terminal() *terminal.Terminal {
	return terminal.New(s, true, func() (int, int) { return s.Width, s.Height })
}

// Write implements [io.Writer].
func (s *Screen) Write(p []byte) (int, error) {
	text := []rune(string(p))
	for i := 0; i < len(text); i++ {
		switch r := text[i]; r {
		case '\n':
			s.row, s.column = s.row+1, 0
		case '\r':
			s.column = 0
		case '\x1b':
			begin := i + 2 // after "["
			for i = begin; text[i] == ';' || text[i] >= '0' && text[i] <= '9'; i++ {
			}
			s.sequence(string(text[begin:i]), text[i])
		default:
			s.put(r)
		}
	}
	return len(p), nil
}

func (s *Screen) put(r rune) {
	s.t.Helper()
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, nil)
	}
	line := s.lines[s.row]
	if s.column >= s.Width {
		s.t.Errorf("line %d is too long: %s", s.row, string(line))
	}
	if s.column < len(line) {
		line[s.column] = r
	} else {
		s.lines[s.row] = append(line, r)
	}
	s.column++
}

func (s *Screen) sequence(parameter string, kind rune) {
	s.t.Helper()
	switch kind {
	case 'A':
		n, err := strconv.Atoi(parameter)
		if s.row -= n; err != nil || s.row < 0 || n >= s.Height {
			s.t.Fatalf("the cursor goes up %q lines, and cannot", parameter)
		}
	case 'K':
		if s.row < len(s.lines) {
			s.lines[s.row] = s.lines[s.row][:min(s.column, len(s.lines[s.row]))]
		}
	case 'J':
		s.lines = s.lines[:min(s.row, len(s.lines))]
	case 'm':
	default:
		s.t.Errorf("an unknown sequence: %q %q", parameter, kind)
	}
}

// String returns all lines that were written and not overwritten.
func (s *Screen) String() string {
	var lines []string
	for _, l := range s.lines {
		lines = append(lines, string(l))
	}
	return strings.Join(lines, "\n")
}
