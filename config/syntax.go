package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	emptyFile     = "has nothing in it"
	emptyFileHint = "list at least one HMP under targets; a target file with none on purpose is []"
)

// parseYAML returns the one value that a file holds, or nil after reporting why
// there is none.
func parseYAML(data []byte, r *report) *yaml.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	number := 0
	for line := range bytes.Lines(data) {
		if number++; !utf8.Valid(line) {
			r.addAt(number, "", "is not UTF-8 text", "save the file as UTF-8")
			return nil
		}
	}

	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.add("", emptyFile, emptyFileHint)
		return nil
	case err != nil:
		r.addError(syntaxError(err, data))
		return nil
	}
	// Without this look at what follows, the rest of the file would be ignored.
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.addAt(second.Line, "", "a second document begins here", "a configuration is one YAML document; remove the line ---")
		return nil
	case !errors.Is(err, io.EOF):
		r.addError(syntaxError(err, data))
		return nil
	case document.Content[0].Tag == "!!null":
		r.addAt(document.Content[0].Line, "", emptyFile, emptyFileHint)
		return nil
	}
	return document.Content[0]
}

// A syntaxHelp is what we say for an error of the YAML parser.
type syntaxHelp struct {
	match         string // part of the parser's message
	problem, hint string

	// The parser counts lines from 0 in some of its errors, and then points at the
	// beginning of the block in which it got lost.
	fromZero bool
}

// syntaxHelps has the mistakes that people make. The parser's own words are never
// passed on: they puzzle, and one of them quotes the file.
var syntaxHelps = []syntaxHelp{
	{match: "unknown anchor", problem: "unknown anchor", hint: "quote a value that begins with *"},
	{match: "alphabetic or numeric", problem: "an anchor or alias without a name", hint: "quote a value that begins with * or &"},
	{match: "cannot start any token", problem: "a character that cannot begin a value", hint: "indent with spaces, not tabs, and quote a value that begins with @, ` or %"},
	{match: "found a tab character", problem: "a tab where only spaces can be", hint: "indent with spaces"},
	{match: "mapping values are not allowed", problem: "a colon where none can be", hint: "check the indentation, and quote a value that contains a colon and a space"},
	{match: "mapping keys are not allowed", problem: "a field where none can be", hint: "check the indentation"},
	{match: "block sequence entries", problem: "a dash where none can be", hint: "a list begins on a line of its own"},
	{match: "expected ':'", problem: "a line without a colon", hint: "write field: value, with a space after the colon"},
	{match: "unknown escape", problem: "a backslash that means nothing", hint: "use single quotes for a value with backslashes"},
	{match: "unexpected end of stream", problem: "a quote that is never closed", hint: "close it on the same line"},
	{match: "tag", problem: "a tag that means nothing", hint: "quote a value that begins with !"},
	{match: "control characters", problem: "a control character", hint: "remove it, or save the file as UTF-8"},
	{match: "expected key", problem: "the block that begins here is broken", hint: "check the indentation below, and quote values with special characters", fromZero: true},
	{match: "expected '-'", problem: "the list that begins here is broken", hint: "check the indentation below, and give each item its dash", fromZero: true},
	{match: "expected ','", problem: "the bracket that opens here is broken", hint: "close it, and put commas between its items", fromZero: true},
	{match: "expected node content", problem: "a value is missing", hint: "quote a value with special characters", fromZero: true},
}

var (
	syntaxLine    = regexp.MustCompile(`line (\d+):`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxError puts an error of the YAML parser into our words.
func syntaxError(err error, data []byte) *Error {
	message := err.Error()
	line := 1 // the parser leaves out the number of the first line
	if m := syntaxLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	// It leaves out the line of an alias, too, but not the name of it.
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	for _, help := range syntaxHelps {
		if strings.Contains(message, help.match) {
			if help.fromZero && syntaxLine.MatchString(message) {
				line++
			}
			return &Error{Line: line, Problem: "malformed YAML: " + help.problem, Hint: help.hint}
		}
	}
	return &Error{Line: line, Problem: "malformed YAML", Hint: "quote values with special characters, and check the indentation"}
}
