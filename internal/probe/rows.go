package probe

import (
	"fmt"
	"strconv"
	"strings"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/terminal"
)

// A layout knows how wide the columns are, before there are results.
type layout struct{ target, session, result int }

func newLayout(sessions []config.Selected) layout {
	l := layout{len("TARGET"), len("SESSION"), len(notProbed)}
	for _, s := range sessions {
		l.target, l.session = max(l.target, len(s.Target.Name)), max(l.session, len(s.Session.Name))
	}
	for _, o := range hmp.Results {
		l.result = max(l.result, len(o.Result))
	}
	return l
}

// line puts cells into the columns.
func (l layout) line(target, session string, result terminal.Span, took, status, detail string) terminal.Line {
	line := terminal.Line{{Text: fmt.Sprintf("%-*s  %-*s  ", l.target, target, l.session, session)}, result}
	if took == "" {
		return line
	}
	space := strings.Repeat(" ", l.result-len(result.Text))
	rest := fmt.Sprintf("%s  %9s  %4s  %s", space, took, status, detail)
	return append(line, terminal.Span{Text: strings.TrimRight(rest, " ")})
}

func (l layout) head() terminal.Line {
	line := l.line("TARGET", "SESSION", terminal.Span{Text: "RESULT"}, "TIME", "HTTP", "DETAIL")
	for i := range line {
		line[i].Style = terminal.Bold
	}
	return line
}

// row shows what became of a session; pending says that of one without a result.
func (l layout) row(a *Attempt, pending string) terminal.Line {
	if a.Result == nil {
		return l.line(a.Target, a.Session, terminal.Span{Text: pending, Style: terminal.Dim}, "", "", "")
	}
	style, status := terminal.Bad, "-"
	if a.Valid() {
		style = terminal.Good
	}
	if a.Result.StatusCode != 0 {
		status = strconv.Itoa(a.Result.StatusCode)
	}
	took := fmt.Sprintf("%.3f s", a.Result.Duration.Seconds())
	return l.line(a.Target, a.Session, terminal.Span{Text: a.ResultName(), Style: style}, took, status, a.detail())
}

// detail is what else there is to say in a few words.
func (a *Attempt) detail() string {
	r := a.Result
	switch n := r.Details.ServiceMessages; {
	case r.Code != "":
		return r.Code.Text()
	case r.Skipped:
		return "nothing was sent"
	case n != nil && *n > 0:
		return config.Plural(*n, "service message")
	}
	return ""
}
