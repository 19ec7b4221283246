package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A document is one file, or the environment.
type document struct {
	file      string
	variables map[string]string // by field, if this is the environment
	lines     map[string]int    // by the path of a field; a field that was not given is not in it
	left      int               // values that may still be decoded
	problems  *problems         // of all documents of one configuration
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

// item returns the position of an item of the list p.
func (p position) item(i int) position { return p.child("[" + strconv.Itoa(i) + "]") }

// isGiven reports whether p was given, with the right kind of value.
func (p position) isGiven() bool {
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

// error returns an error at p. The hint says what to do, unless it is "".
func (p position) error(problem, hint string) *Error {
	if hint != "" {
		problem += "; " + hint
	}
	return &Error{File: p.file, Line: p.line(), Field: p.field(), Problem: problem, Target: p.target, Session: p.session}
}

// report reports a problem of p.
func (p position) report(problem, hint string) { p.problems.add(p.error(problem, hint)) }

// reportAt reports a problem of p that is on another line.
func (p position) reportAt(line int, problem, hint string) {
	e := p.error(problem, hint)
	e.Line = line
	p.problems.add(e)
}

// isReported reports whether p or a field in it has a problem so far.
func (p position) isReported() bool {
	path := p.field()
	return slices.ContainsFunc(p.problems.first, func(e *Error) bool {
		return e.File == p.file && (strings.HasPrefix(e.Field+".", path+".") || strings.HasPrefix(e.Field, path+"["))
	})
}
