package terminal

import (
	"strings"
	"unicode/utf8"
)

// A Style is how a piece of text looks, where there are colours.
type Style string

// The styles, as parameters of the sequence Select Graphic Rendition.
const (
	Plain Style = ""
	Bold  Style = "1"
	Dim   Style = "2"
	Good  Style = "32" // green
	Bad   Style = "31" // red
)

// A Span is a piece of text. It has to be clean, see [Clean].
type Span struct {
	Text  string
	Style Style
}

// A Line is one line of the screen.
type Line []Span

// Text returns a line without style.
func Text(text string) Line { return Line{{Text: text}} }

// String returns the text of the line.
func (l Line) String() string {
	var b strings.Builder
	l.render(&b, 0, false)
	return b.String()
}

// render writes the part of a line that is less wide than the screen: a full one could
// make it scroll. A width of 0 is any.
func (l Line) render(b *strings.Builder, width int, colours bool) {
	left := width - 1
	for _, s := range l {
		text := s.Text
		if width > 0 {
			text = cut(text, left)
			left -= utf8.RuneCountInString(text)
		}
		if !colours || s.Style == Plain || text == "" {
			b.WriteString(text)
			continue
		}
		b.WriteString("\x1b[" + string(s.Style) + "m" + text + "\x1b[0m")
	}
}

// cut returns the first n characters of a text, with a mark at their end if that is not all.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	if n < 1 {
		return ""
	}
	return string([]rune(text)[:n-1]) + "…"
}

// Wrap breaks a text into lines of at most so many characters: at spaces, and within words
// that are longer than a line.
func Wrap(text string, width int) []string {
	width = max(1, width)
	var lines []string
	var line []rune
	for field := range strings.FieldsSeq(text) {
		word := []rune(field)
		if len(line) > 0 && len(line)+1+len(word) > width {
			lines, line = append(lines, string(line)), nil
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, word...)
		for len(line) > width {
			lines, line = append(lines, string(line[:width])), line[width:]
		}
	}
	if len(line) > 0 {
		lines = append(lines, string(line))
	}
	return lines
}
