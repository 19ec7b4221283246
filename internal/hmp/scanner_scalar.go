package hmp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// source passes the value that begins at the next byte, and returns its first limit
// bytes and whether these are all. They are good until the next value is passed.
func (s *scanner) source(limit int) (source []byte, whole bool, err error) {
	s.kept, s.room, s.cut = s.kept[:0], limit, false
	err = s.skip()
	s.room = 0
	return s.kept, !s.cut, err
}

// note keeps b as far as there is room.
func (s *scanner) note(b []byte) {
	n := min(len(b), s.room)
	s.kept = append(s.kept, b[:n]...)
	s.room -= n
	s.cut = s.cut || n < len(b)
}

// quoted passes the string that begins at the next byte, and returns the first limit
// bytes of the source between its quotes and whether these are all.
func (s *scanner) quoted(limit int) (source []byte, whole bool, err error) {
	source, whole, err = s.source(limit + len(`""`))
	if err != nil {
		return nil, false, err
	}
	// Of a string that is cut, the last byte is one too many.
	return source[1 : len(source)-1], whole, nil
}

// maxDecoded bounds the strings of one body that are decoded, all together, in bytes of
// their source. It is several times what a session has of them.
const maxDecoded = 256 << 10

// text passes the string that begins at the next byte, and returns it decoded and as
// valid UTF-8. Of a string whose source is longer than limit bytes it returns a
// beginning, and false. The bytes are good until the next value is passed.
func (s *scanner) text(limit int) (text []byte, whole bool, err error) {
	source, whole, err := s.quoted(min(limit, maxDecoded-s.decoded))
	if err != nil {
		return nil, false, err
	}
	s.decoded += len(source)
	return unquote(source), whole, nil
}

// unquote decodes the source of a string, which may have been cut in an escape.
func unquote(source []byte) []byte {
	intricate := func(c byte) bool { return c == '\\' || c >= utf8.RuneSelf }
	if !slices.ContainsFunc(source, intricate) {
		return source
	}
	const longestEscape = len(`\u0000`)
	for end := len(source); end >= max(0, len(source)-longestEscape); end-- {
		var text string
		if json.Unmarshal(append(append([]byte{'"'}, source[:end]...), '"'), &text) == nil {
			return []byte(text)
		}
	}
	return nil
}

// unquoteName decodes the whole source of a string in its place, as there can be
// millions of names. It returns nil for one with an escape that is not of visible ASCII
// characters only.
func unquoteName(source []byte) []byte {
	if bytes.IndexByte(source, '\\') < 0 {
		return source
	}
	name := source[:0]
	for i := 0; i < len(source); i++ {
		c := rune(source[i])
		if c == '\\' {
			i++
			switch c = rune(source[i]); c {
			case '"', '\\', '/':
			case 'u':
				n, err := strconv.ParseUint(string(source[i+1:i+5]), 16, 16)
				if err != nil {
					return nil
				}
				c, i = rune(n), i+4
			default:
				return nil // a control character
			}
		}
		if c <= ' ' || c > '~' {
			return nil
		}
		name = append(name, byte(c))
	}
	return name
}
