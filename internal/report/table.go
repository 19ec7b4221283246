package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

const (
	fileWidth = 100 // of the sentences, in characters
	indent    = "  "
)

// The colours of a terminal: parameters of the sequence Select Graphic Rendition.
const (
	bold  = "1"
	green = "32"
	red   = "31"
)

// A Terminal is what a table is written to. The zero Terminal is a file.
type Terminal struct {
	Width   int // in characters; 0 for a file
	Colours bool
}

// A tableWriter writes a table for people.
type tableWriter struct {
	*bufio.Writer // keeps the error
	Terminal
}

// WriteTable writes a line for each session and what to do about failures. In a file the
// summary is the first line, for Nagios. On a terminal it is the last line.
func (r *Report) WriteTable(out io.Writer, terminal Terminal) error {
	w := &tableWriter{bufio.NewWriter(out), terminal}
	width := fileWidth
	if terminal.Width > 0 {
		width = terminal.Width
	} else {
		w.line(r.summary(), "")
	}
	w.sessions(r.Results)
	for _, p := range r.explanations() {
		w.line("", w.paint(bold, p.heading))
		for _, text := range p.texts {
			w.line(wrap(forTerminal(text), width)...)
		}
	}
	if terminal.Width > 0 {
		colour := red
		if r.Valid() {
			colour = green
		}
		w.line("", w.paint(colour, r.summary()))
	}
	return w.Flush()
}

// sessions writes a line for each session.
func (w *tableWriter) sessions(results []collector.Result) {
	target, session, name := len("TARGET"), len("SESSION"), len(NotProbed)
	for i := range results {
		target, session = max(target, len(results[i].Target)), max(session, len(results[i].Session))
	}
	for _, info := range hmp.Results {
		name = max(name, len(info.Result))
	}
	line := func(colour string, columns ...string) {
		start := fmt.Sprintf("%-*s  %-*s  ", target, columns[0], session, columns[1])
		rest := fmt.Sprintf("%*s  %9s  %4s  %s", name-len(columns[2]), "", columns[3], columns[4], columns[5])
		w.line(strings.TrimRight(start+w.paint(colour, columns[2])+rest, " "))
	}
	line(bold, "TARGET", "SESSION", "RESULT", "TIME", "HTTP", "DETAIL")
	for i := range results {
		r := &results[i]
		colour, took, status := red, fmt.Sprintf("%.3f s", r.Duration.Seconds()), "-"
		switch {
		case r.ResultName() == "":
			colour, took, status = "", "", ""
		case r.Valid():
			colour = green
		}
		if r.StatusCode != 0 {
			status = strconv.Itoa(r.StatusCode)
		}
		line(colour, r.Target, r.Session, DisplayName(r.ResultName()), took, status, detail(r))
	}
}

// detail returns the last column of the table.
func detail(r *collector.Result) string {
	switch n := r.Details.ServiceMessages; {
	case r.Code != "":
		return r.Code.Text()
	case r.Skipped:
		return "nothing was sent"
	case n != nil && *n > 0:
		return Plural(*n, "service message")
	}
	return ""
}

func (w *tableWriter) line(lines ...string) {
	for _, l := range lines {
		_, _ = w.WriteString(l + "\n")
	}
}

func (w *tableWriter) paint(colour, text string) string {
	if !w.Colours || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// wrap breaks a sentence into indented lines at spaces. A word that is longer than a line
// stays whole.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(indent)+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, indent+line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, indent+line)
}

// forTerminal replaces what a terminal may obey: invalid UTF-8, control characters, invisible
// characters, and characters that change the direction of text.
func forTerminal(text string) string {
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
