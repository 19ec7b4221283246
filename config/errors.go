package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Error is one problem of a configuration and its position.
type Error struct {
	File    string // as given in the Source or matched by target_files, or "environment"
	Line    int    // 1 for the first line; 0 if the problem has no line
	Field   string // like targets[0].sessions[1].token_file, or the variable; "" for the whole file
	Problem string // what is wrong and, after a semicolon, what to do about it

	Target, Session string // the names of the target and session; "" if not known
}

// Error returns one line: "hmp.yml:7: field: problem; hint".
func (e Error) Error() string {
	text := e.File
	if e.Line > 0 {
		text += ":" + strconv.Itoa(e.Line)
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	return text + ": " + e.Problem
}

// Errors are problems or warnings of one configuration, sorted by file, line and field. If Load
// finds more than 100 problems, the last error says how many are left out.
type Errors []*Error

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field))
	})
	return e
}

// maxProblems bounds the problems of one configuration, because it can be the wrong file.
const maxProblems = 100

// problems collects the problems of one configuration.
type problems struct {
	first Errors
	more  int // how many are not in first
}

func (ps *problems) add(e *Error) {
	if len(ps.first) < maxProblems {
		ps.first = append(ps.first, e)
	} else {
		ps.more++
	}
}

// errors returns the first problems, and how many more there are.
func (ps *problems) errors(file string) Errors {
	all := ps.first.sorted()
	if ps.more > 0 {
		all = append(all, &Error{File: file, Problem: fmt.Sprintf("…and %d more problems", ps.more)})
	}
	return all
}

// hintedError is a problem of a file or a secret, and what to do about it.
type hintedError struct{ problem, hint string }

func (h *hintedError) Error() string { return h.problem }

// hintFor says what to do about a problem of a file or a secret.
func hintFor(err error) string {
	h, isHinted := errors.AsType[*hintedError](err)
	switch {
	case isHinted:
		return h.hint
	case errors.Is(err, fs.ErrNotExist):
		return "a relative path begins at the directory of the file that contains it; a path in a variable begins at the working directory"
	case errors.Is(err, fs.ErrPermission):
		return "the user that runs hmp_exporter must be able to read it"
	default:
		return ""
	}
}
