package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Error is one problem of a configuration and its position.
type Error struct {
	File    string // as given to Load, or "environment"
	Line    int    // 1 for the first line; 0 if the problem has no line
	Field   string // like targets[0].sessions[1].token_file, or the variable; "" for the whole file
	Problem string // what is wrong and, after a semicolon, what to do about it; never the value

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
	if e.Problem += problem; hint != "" {
		e.Problem += "; " + hint
	}
	return &e
}

// Errors are all problems found in one configuration, sorted by file and line.
type Errors []*Error

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil returns the problems sorted, or a nil error if there are none.
func (e Errors) orNil() error {
	if len(e) > 0 {
		return e.sorted()
	}
	return nil
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return e
}

const maxProblems = 100

// report collects the problems of one file. It has the line of each field.
type report struct {
	file  string
	lines map[string]int // by field path; a field that was not given is not in it
	errs  *Errors        // shared by all files of one configuration

	variables       map[string]string // by field, where there is no file but the environment
	plaintextSecret bool              // the file has a secret in clear
}

func (r *report) add(line int, path, problem, hint string) {
	r.addError(Error{File: r.file, Line: line, Field: r.field(path)}.with(problem, hint))
}

func (r *report) addError(e *Error) {
	switch {
	case len(*r.errs) < maxProblems:
		*r.errs = append(*r.errs, e)
	case len(*r.errs) == maxProblems:
		*r.errs = append(*r.errs, &Error{File: r.file, Line: e.Line, Problem: "too many problems to list; is this the right file?"})
	}
}

// field returns the path of a field for an error: the name of its variable, if there is no
// file.
func (r *report) field(path string) string {
	if r.variables == nil {
		return path
	}
	return r.name(path[strings.LastIndexByte(path, '.')+1:])
}

// name returns the name of a field in a file, or its variable.
func (r *report) name(field string) string { return cmp.Or(r.variables[field], field) }

// A position is a target, a session or a mapping in a file.
type position struct {
	*report
	path            string
	dir             string // relative paths are relative to it
	target, session string // names
}

// fieldPath returns the path of a field, or of the position itself for "".
func (p position) fieldPath(field string) string { return join(p.path, field) }

func (p position) child(field string) position {
	p.path = p.fieldPath(field)
	return p
}

// has reports whether the field was given, with a valid value or not.
func (p position) has(field string) bool {
	_, ok := p.lines[p.fieldPath(field)]
	return ok
}

// valid reports whether the field and its inner fields have no problem so far.
func (p position) valid(field string) bool {
	path := p.field(p.fieldPath(field))
	return !slices.ContainsFunc(*p.errs, func(e *Error) bool {
		return e.File == p.file && (strings.HasPrefix(e.Field+".", path+".") || strings.HasPrefix(e.Field, path+"["))
	})
}

// line returns the line of the field. If it was not given, that is the line of the nearest
// field around it.
func (p position) line(field string) int {
	path := p.fieldPath(field)
	for path != "" && p.lines[path] == 0 {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return p.lines[path]
}

// error returns an error with the position of a field and no problem yet.
func (p position) error(field string) Error {
	return Error{File: p.file, Line: p.line(field), Field: p.field(p.fieldPath(field)), Target: p.target, Session: p.session}
}

func (p position) add(field, problem, hint string) { p.addError(p.error(field).with(problem, hint)) }

// join appends a field, or the index of a list item, to a path.
func join(path, field string) string {
	if path == "" || field == "" || field[0] == '[' {
		return path + field
	}
	return path + "." + field
}

func indexPath(i int) string { return "[" + strconv.Itoa(i) + "]" }
