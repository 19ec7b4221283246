package terminal

import (
	"fmt"
	"io"
	"strings"
)

// A Block is the last lines on a terminal, which are written again when they change.
type Block struct {
	Terminal *Terminal

	drawn         int // lines
	width, height int // of the terminal when they were drawn
}

// Draw writes lines in place of those that were drawn before. It returns false, and has
// drawn nothing, if they do not fit on the screen, or if that has another size by now:
// then nobody knows where the lines of before are, and they stay.
func (b *Block) Draw(lines []Line) (bool, error) {
	width, height := b.Terminal.Size()
	if len(lines) >= height || b.drawn > 0 && (width != b.width || height != b.height) {
		return false, nil
	}
	var text strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", b.drawn) // up
	}
	for _, l := range lines {
		text.WriteString("\r")
		l.render(&text, width, b.Terminal.colours)
		text.WriteString("\x1b[K\n") // erases the rest of the line
	}
	text.WriteString("\r\x1b[J") // and of the screen: what was typed
	b.drawn, b.width, b.height = len(lines), width, height
	_, err := io.WriteString(b.Terminal.w, text.String())
	return true, err
}
