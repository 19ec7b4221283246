package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Error is one problem of a configuration and its position.
type Error struct {
	File    string // as given to Load, or "environment"
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

// with returns a copy with the problem and, unless hint is "", what to do.
func (e Error) with(problem, hint string) *Error {
	if e.Problem = problem; hint != "" {
		e.Problem += "; " + hint
	}
	return &e
}

// Errors are the problems found in one configuration, sorted by file, line and field. If there are
// more than 100, the last error says how many are left out.
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
		all = append(all, Error{File: file}.with(fmt.Sprintf("…and %d more problems", ps.more), ""))
	}
	return all
}

// A document is one file, or the environment.
type document struct {
	file  string
	lines map[string]int // by field path; a field that was not given is not in it
	left  int            // values that may still be decoded
	errs  *problems      // shared by all documents of one configuration

	variables map[string]string // by field, if this is the environment
}

// name returns the name of a field in a file, or its variable.
func (d *document) name(field string) string { return cmp.Or(d.variables[field], field) }

func (d *document) dir() string { return filepath.Dir(d.file) }

// A position is a field of a document: a target, a session, a mapping or a value.
type position struct {
	*document
	path            string
	target, session string // names
}

// child returns the position of a field, of an item like "[0]", or of p itself for "".
func (p position) child(field string) position {
	switch {
	case field == "":
	case p.path == "" || field[0] == '[':
		p.path += field
	default:
		p.path += "." + field
	}
	return p
}

// item returns the position of an item of a list.
func (p position) item(field string, i int) position {
	return p.child(field).child("[" + strconv.Itoa(i) + "]")
}

// has reports whether p was given, with the right kind of value.
func (p position) has() bool {
	_, ok := p.lines[p.path]
	return ok
}

// line returns the line of p. If it was not given, that is the line of the nearest field
// around it.
func (p position) line() int {
	path := p.path
	for path != "" && p.lines[path] == 0 {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return p.lines[path]
}

// field returns the path of p for an error, or the variable.
func (p position) field() string {
	if p.variables == nil {
		return p.path
	}
	return p.name(p.path[strings.LastIndexByte(p.path, '.')+1:])
}

// error returns an error with the position of a field and no problem yet.
func (p position) error(field string) Error {
	p = p.child(field)
	return Error{File: p.file, Line: p.line(), Field: p.field(), Target: p.target, Session: p.session}
}

// add reports a problem of a field, or of p itself for "".
func (p position) add(field, problem, hint string) { p.errs.add(p.error(field).with(problem, hint)) }

// addAt reports a problem of p that is on another line.
func (p position) addAt(line int, problem, hint string) {
	e := p.error("")
	e.Line = line
	p.errs.add(e.with(problem, hint))
}

// valid reports whether the field and its inner fields have no problem so far.
func (p position) valid(field string) bool {
	path := p.child(field).field()
	return !slices.ContainsFunc(p.errs.first, func(e *Error) bool {
		return e.File == p.file && (strings.HasPrefix(e.Field+".", path+".") || strings.HasPrefix(e.Field, path+"["))
	})
}
