package report

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/internal/hmp"
)

const (
	// defaultWidth is how many characters a line of sentences has where there is no terminal.
	defaultWidth = 100
	indent       = "  "
)

// The colours of a terminal: parameters of the sequence Select Graphic Rendition.
const (
	bold  = "1"
	green = "32"
	red   = "31"
)

// A tableWriter writes a report for people.
type tableWriter struct {
	*bufio.Writer // keeps the error
	terminal      bool
	colours       bool
	width         int // of lines of sentences, in characters
}

// write writes a table of the sessions, and what to do about failures. The summary is the
// first line, which Nagios shows of a check; on a terminal it is the last line.
func (w *tableWriter) write(r *Report) {
	if !w.terminal {
		w.line(r.summary(), "")
	}
	w.sessions(r)
	for _, p := range r.explanations() {
		w.line("", w.paint(bold, p.head))
		for _, text := range p.texts {
			w.line(wrapped(text, w.width)...)
		}
	}
	if w.terminal {
		colour := red
		if r.err() == nil {
			colour = green
		}
		w.line("", w.paint(colour, r.summary()))
	}
}

// sessions writes a line for each session.
func (w *tableWriter) sessions(r *Report) {
	target, session, result := len("TARGET"), len("SESSION"), len(notProbed)
	for _, a := range r.Attempts {
		target, session = max(target, len(a.Target)), max(session, len(a.Session))
	}
	for _, info := range hmp.Results {
		result = max(result, len(info.Result))
	}
	line := func(name, session_, colour, word, took, status, detail string) {
		start := fmt.Sprintf("%-*s  %-*s  ", target, name, session, session_)
		rest := fmt.Sprintf("%*s  %9s  %4s  %s", result-len(word), "", took, status, detail)
		w.line(strings.TrimRight(start+w.paint(colour, word)+rest, " "))
	}
	line("TARGET", "SESSION", bold, "RESULT", "TIME", "HTTP", "DETAIL")
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Result == nil {
			line(a.Target, a.Session, "", notProbed, "", "", "")
			continue
		}
		colour, status := red, "-"
		if a.Valid() {
			colour = green
		}
		if a.Result.StatusCode != 0 {
			status = strconv.Itoa(a.Result.StatusCode)
		}
		line(a.Target, a.Session, colour, a.ResultName(), fmt.Sprintf("%.3f s", a.Result.Duration.Seconds()), status, a.detail())
	}
}

// detail says more in a few words.
func (a *Attempt) detail() string {
	r := a.Result
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
	if !w.colours || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// wrapped breaks a sentence into indented lines, at spaces only: a word that is longer than
// a line stays whole.
func wrapped(text string, width int) []string {
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

// clean returns a text that a terminal shows as it is: valid UTF-8 without control
// characters, invisible ones, and those that change the direction of text.
func clean(text string) string {
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
