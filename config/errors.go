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
