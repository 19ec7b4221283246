package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse returns the value of the one document in a file. On a problem it reports the problem
// and returns nil.
func (p position) parse(data []byte) *yaml.Node {
	first, second, err := parseDocuments(data)
	switch {
	case err != nil:
		p.reportSyntaxError(data, err)
	case second.Line > 0: // otherwise it would be ignored
		p.reportAt(second.Line, "a second document begins here", "a configuration is one YAML document; remove the line ---")
	case first.Line == 0 || first.Content[0].Tag == "!!null":
		p.reportAt(first.Line, "the file is empty", "list at least one HMP under targets; a target file with none on purpose is []")
	default:
		return first.Content[0]
	}
	return nil
}

// parseDocuments returns the first two documents. The Line of a document that is missing is 0.
func parseDocuments(data []byte) (first, second yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err = decoder.Decode(&first); err == nil {
		err = decoder.Decode(&second)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return first, second, err
}

// maxSearched bounds the bytes that syntaxErrorLine searches, because it parses them many times.
// For a larger file, the line is near the error.
const maxSearched = 256 << 10

// reportSyntaxError reports a syntax error. It does not use the parser's message, which is hard
// to understand, can quote the file, and often has the line where the block begins.
func (p position) reportSyntaxError(data []byte, err error) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	line := 1
	if len(data) <= maxSearched {
		line = syntaxErrorLine(lines)
	} else if _, _ = fmt.Sscanf(err.Error(), "yaml: line %d:", &line); line > len(lines) {
		line = len(lines)
	}
	if !utf8.Valid(lines[line-1]) {
		p.reportAt(line, "is not UTF-8 text", "save the file as UTF-8")
		return
	}
	p.reportAt(line, "malformed YAML", "check the indentation, close quotes and brackets, use no tabs, and quote a value with special characters")
}

// syntaxErrorLine returns the line of a syntax error. It looks for the shortest beginning of the
// file with which the parser reports the same error as with the whole file.
func syntaxErrorLine(lines [][]byte) int {
	failure := func(n int) string {
		begin := append([]byte("#\n"), bytes.Join(lines[:n], nil)...) // the parser never names line 1
		_, _, err := parseDocuments(begin)
		return fmt.Sprint(err)
	}
	whole := failure(len(lines))
	return 1 + sort.Search(len(lines)-1, func(i int) bool { return failure(i+1) == whole })
}
