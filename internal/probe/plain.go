package probe

import (
	"bufio"

	"hmp_exporter/internal/terminal"
)

// plainWidth is how wide the lines of sentences are where there is no terminal.
const plainWidth = 100

// writePlain writes a report for a file or a program: first how all went, as Nagios
// shows the first line of a check, then the sessions, and what to do about failures.
func writePlain(w *bufio.Writer, r *Report, l layout) {
	lines := []terminal.Line{terminal.Text(r.summary()), nil, l.head()}
	for i := range r.Attempts {
		lines = append(lines, l.row(&r.Attempts[i], notProbed))
	}
	for _, line := range append(lines, wrapped(r.explanations(), plainWidth)...) {
		_, _ = w.WriteString(line.String() + "\n") // the error stays with w
	}
}
