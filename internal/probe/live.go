package probe

import (
	"fmt"

	"hmp_exporter/config"
	"hmp_exporter/internal/terminal"
)

// live shows on a terminal how the answers come. If there are more sessions than fit on
// it, or if its size changes, each is shown once it has answered.
type live struct {
	layout
	terminal *terminal.Terminal
	block    terminal.Block
	lines    bool   // one after the other
	shown    []bool // then, which sessions have been
	err      error  // the first one
}

func newLive(t *terminal.Terminal, sessions []config.Selected) *live {
	return &live{layout: newLayout(sessions), terminal: t, block: terminal.Block{Terminal: t}, shown: make([]bool, len(sessions))}
}

// watch shows what has changed.
func (v *live) watch(r *Report) {
	progress := terminal.Line{{Text: r.progress(), Style: terminal.Dim}}
	if !v.lines && !v.draw(v.table(r, "probing"), progress) {
		v.lines = true
		v.print(v.head())
	}
	if v.lines {
		v.news(r)
	}
}

// end shows a report that is complete, and returns its error or that of the output.
func (v *live) end(r *Report) error {
	if v.lines || !v.draw(v.table(r, notProbed)) {
		if !v.lines {
			v.print(v.head())
		}
		v.news(r)
		v.rest(r)
	}
	width, _ := v.terminal.Size()
	v.print(wrapped(r.explanations(), width)...)
	style := terminal.Bad
	if r.err() == nil {
		style = terminal.Good
	}
	v.print(nil)
	for _, part := range terminal.Wrap(r.summary(), width-1) {
		v.print(terminal.Line{{Text: part, Style: style}})
	}
	if v.err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, v.err)
	}
	return r.err()
}

// table is a line for each session.
func (v *live) table(r *Report, pending string) []terminal.Line {
	lines := []terminal.Line{v.head()}
	for i := range r.Attempts {
		lines = append(lines, v.row(&r.Attempts[i], pending))
	}
	return lines
}

// draw draws lines where they were before, if they fit there.
func (v *live) draw(lines []terminal.Line, more ...terminal.Line) bool {
	drawn, err := v.block.Draw(append(lines, more...))
	v.note(err)
	return drawn
}

// news prints the sessions that have answered since it was last called.
func (v *live) news(r *Report) {
	for i := range r.Attempts {
		if !v.shown[i] && r.Attempts[i].Result != nil {
			v.shown[i] = true
			v.print(v.row(&r.Attempts[i], ""))
		}
	}
}

// rest prints the sessions that have not answered.
func (v *live) rest(r *Report) {
	for i := range r.Attempts {
		if !v.shown[i] {
			v.print(v.row(&r.Attempts[i], notProbed))
		}
	}
}

func (v *live) print(lines ...terminal.Line) { v.note(v.terminal.Print(lines...)) }

func (v *live) note(err error) {
	if v.err == nil {
		v.err = err
	}
}
