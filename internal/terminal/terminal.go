// Package terminal writes to the screen of a person: lines with a little colour that are
// never wider than it, and a [Block] of lines that changes in place.
//
// It knows no terminal but those that understand the few sequences of ECMA-48 in here.
// On all others, and in files and pipes, there is only text: see [Open].
package terminal

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// A Terminal is what a person looks at.
type Terminal struct {
	w       io.Writer
	colours bool
	size    func() (width, height int)
}

// New returns a terminal that is written to by w.
func New(w io.Writer, colours bool, size func() (width, height int)) *Terminal {
	return &Terminal{w, colours, size}
}

// Open returns the terminal that a file is, or nil if it is none, or one that cannot move
// its cursor (TERM is dumb or not set). There are no colours if NO_COLOR is set to
// anything, see https://no-color.org.
func Open(f *os.File, getenv func(string) string) *Terminal {
	fd := int(f.Fd())
	if t := getenv("TERM"); t == "" || t == "dumb" || !term.IsTerminal(fd) {
		return nil
	}
	return New(f, getenv("NO_COLOR") == "", func() (width, height int) {
		width, height, err := term.GetSize(fd)
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24 // as a serial line, which does not know
		}
		return width, height
	})
}

// Size returns how many characters fit into a line, and how many lines there are.
func (t *Terminal) Size() (width, height int) { return t.size() }

// Print writes lines.
func (t *Terminal) Print(lines ...Line) error {
	width, _ := t.Size()
	var b strings.Builder
	for _, l := range lines {
		l.render(&b, width, t.colours)
		b.WriteString("\n")
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

// Clean returns a text that a terminal shows as it is: no control characters, nothing
// that is invisible or turns the direction of text around, valid UTF-8.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return unicode.ReplacementChar
		}
	}, text)
}
