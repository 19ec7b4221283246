package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Error is one problem of a configuration and where it stands.
type Error struct {
	File    string // as given to Load, or "environment"
	Line    int    // 1 for the first line; 0 if the problem has no line
	Field   string // such as targets[0].sessions[1].token_file, or the variable; "" for the whole file
	Problem string // what is wrong; never the value
	Hint    string // what to do about it; can be empty

	// Target and Session are the names of what it is about, where that is known: of a
	// secret that cannot be read, and of a warning.
	Target, Session string

	cause error
}

// Error gives everything on one line: "hmp.yml:7: field: problem; hint".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the error of the operating system that the problem came from, if any.
func (e *Error) Unwrap() error { return e.cause }

// Errors are all problems found in one configuration, sorted by file and line.
type Errors []*Error

// Error gives one line per problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each problem, for [errors.Is] and [errors.As].
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// orNil returns the problems sorted, or a nil error if there are none.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e.sorted()
}

// sorted returns e after it has been sorted.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return e
}

// maxProblems bounds the problems listed for one configuration: a file that is
// something else altogether should not answer with a line for each of its own.
const maxProblems = 100

// report collects the problems of one file. It knows on which line each field
// stands, so that later steps can speak of a field by its path alone.
type report struct {
	file  string
	lines map[string]int // by field path; a field that was not given is not in it
	errs  *Errors        // shared by all files of one configuration

	// broken has the paths where something else stands than the struct that should:
	// that its fields are missing is then no news.
	broken map[string]bool

	// variables is set where there is no file but the environment: the variable for
	// each field that can be given there.
	variables map[string]string
}

func newReport(file string, errs *Errors) *report {
	return &report{file: file, lines: make(map[string]int), broken: make(map[string]bool), errs: errs}
}

// has reports whether the field was given, be it with a value that is wrong.
func (r *report) has(path string) bool {
	_, ok := r.lines[path]
	return ok
}

// clean reports whether no problem was found so far with the field or inside it.
func (r *report) clean(path string) bool {
	return !slices.ContainsFunc(*r.errs, func(e *Error) bool {
		rest, ok := strings.CutPrefix(e.Field, r.field(path))
		return ok && e.File == r.file && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// line is where the field stands or, if it was not given, the nearest field around it.
func (r *report) line(path string) int {
	for path != "" {
		if line, ok := r.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return r.lines[""]
}

// add reports a problem of the field with this path.
func (r *report) add(path, problem, hint string) { r.addAt(r.line(path), path, problem, hint) }

// addAt is add for a problem that does not stand where its field does.
func (r *report) addAt(line int, path, problem, hint string) {
	r.addError(&Error{Line: line, Field: r.field(path), Problem: problem, Hint: hint})
}

func (r *report) addError(e *Error) {
	e.File = r.file
	switch {
	case len(*r.errs) < maxProblems:
		*r.errs = append(*r.errs, e)
	case len(*r.errs) == maxProblems:
		*r.errs = append(*r.errs, &Error{File: r.file, Line: e.Line, Problem: "too many problems to list", Hint: "is this the right file?"})
	}
}

// field is the path as the person knows it: the name of a variable, in the environment.
func (r *report) field(path string) string {
	if r.variables == nil {
		return path
	}
	return r.name(path[strings.LastIndexByte(path, '.')+1:])
}

// name is what the person calls a field: its own name in a file, else its variable.
func (r *report) name(field string) string {
	if variable, ok := r.variables[field]; ok {
		return variable
	}
	return field
}

// onLine is how a hint speaks of another place in the same file.
func onLine(line int) string { return "on line " + strconv.Itoa(line) }
