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

// parseYAML returns the value of the one document in a file. On a problem it reports the
// problem and returns nil.
func parseYAML(data []byte, r *report) *yaml.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	number := 0
	for line := range bytes.Lines(data) {
		if number++; !utf8.Valid(line) {
			r.add(number, "", "is not UTF-8 text", "save the file as UTF-8")
			return nil
		}
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	isEmpty := errors.Is(err, io.EOF)
	if err == nil {
		err = decoder.Decode(&second) // otherwise a second document would be ignored
		isEmpty = document.Content[0].Tag == "!!null"
	}
	switch {
	case err == nil:
		r.add(second.Line, "", "a second document begins here", "a configuration is one YAML document; remove the line ---")
	case !errors.Is(err, io.EOF):
		r.addSyntaxError(err.Error(), data)
	case isEmpty:
		r.add(document.Line, "", "has nothing in it", "list at least one HMP under targets; a target file with none on purpose is []")
	default:
		return document.Content[0]
	}
	return nil
}

// syntaxHints has the most common mistakes: a part of the parser's message, what is wrong and
// what to do. Errors never have the parser's own message, because it is hard to understand
// and can quote the file.
var syntaxHints = [][3]string{
	{"unknown anchor", ": unknown anchor", "quote a value that begins with *"},
	{"cannot start any token", ": a character that cannot begin a value", "indent with spaces, not tabs, and quote a value that begins with @, ` or %"},
	{"mapping values are not allowed", ": a colon where none can be", "check the indentation, and quote a value that contains a colon and a space"},
	{"unexpected end of stream", ": a quote that is never closed", "close it on the same line"},
	{"control characters", ": a control character", "remove it, or save the file as UTF-8"},
	{"expected ", ": what begins here is broken", "check indentation, colons, dashes and brackets below"},
	{"", "", "check the indentation, and quote values with special characters"},
}

var (
	syntaxLine    = regexp.MustCompile(`line (\d+): (did not find expected (?:key|'-'|','|node))?`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// addSyntaxError reports an error of the YAML parser in plain words.
func (r *report) addSyntaxError(message string, data []byte) {
	line := 1 // the parser leaves out the number of the first line
	if m := syntaxLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		if m[2] != "" {
			line++ // the parser counts the line of a block from 0
		}
	}
	// The parser leaves out the line of an alias too, but not its name.
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	for _, help := range syntaxHints {
		if strings.Contains(message, help[0]) {
			r.add(line, "", "malformed YAML"+help[1], help[2])
			return
		}
	}
}
