package hmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// The scanner exists because encoding/json holds a whole JSON token in memory. One JSON token
// can be the whole body, which is 64 MiB by default. The scanner needs the same memory for any
// body. In 4.5 million fuzz runs its results were those of encoding/json (FuzzDecode).
//
// The decoder reads the body and its data with object, and the values that it needs with text
// and source. All other values go to skip.

const (
	scanBufferSize = 32 << 10
	// maxDepth bounds the nesting of arrays and objects. The scanner keeps a bit for each.
	maxDepth = 1 << 20
)

// A scanner reads one JSON text (RFC 8259) through a buffer of fixed size. It checks the
// grammar of every value, but a string may have bytes that are not UTF-8. It keeps only the
// values that its caller asks for.
type scanner struct {
	src      io.Reader
	left     int64 // how many more bytes src may have
	err      error // the error that ended the reading
	buf      []byte
	pos, end int   // unread bytes are buf[pos:end]
	offset   int64 // bytes before buf[0]

	value     []byte // source of the last value that the caller asked for
	valueRoom int    // how many more bytes value may get
	truncated bool   // whether value is incomplete
	decoded   int    // bytes of strings decoded so far, in their source

	open nesting // containers within the value that is being skipped
}

// reset makes s ready to read up to limit bytes of src.
func (s *scanner) reset(src io.Reader, limit int64) {
	if s.buf == nil {
		s.buf = make([]byte, scanBufferSize)
	}
	*s = scanner{src: src, left: limit, buf: s.buf, value: s.value[:0], open: nesting{bits: s.open.bits[:0]}}
}

// fill reads more into the buffer, once all its bytes have been used. At the end of the text
// it returns io.EOF. An error stays.
func (s *scanner) fill() error {
	if s.err != nil {
		return s.err
	}
	s.offset += int64(s.end)
	s.pos, s.end = 0, 0
	// One byte beyond the limit shows whether the body is larger.
	window := s.buf[:min(int64(len(s.buf)), s.left+1)]
	for range 100 {
		n, err := s.src.Read(window)
		switch s.left -= int64(n); {
		case s.left < 0:
			s.err = errTooLarge
		case n > 0:
			s.end = n
		default:
			s.err = err
		}
		if n > 0 || err != nil {
			return s.err
		}
	}
	s.err = io.ErrNoProgress
	return s.err
}

// peek skips white space and returns the next byte, or 0 if the reading has ended. The next
// read returns the error.
func (s *scanner) peek() byte {
	for {
		for ; s.pos < s.end; s.pos++ {
			if c := s.buf[s.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c
			}
		}
		if s.fill() != nil {
			return 0
		}
	}
}

// unexpected returns an error about the next byte, or the error that ended the reading.
func (s *scanner) unexpected() error {
	switch {
	case s.pos < s.end:
		return bodyError(fmt.Sprintf("the body is not JSON at byte %d", s.offset+int64(s.pos)))
	case errors.Is(s.err, io.EOF):
		return io.ErrUnexpectedEOF
	default:
		return s.err
	}
}

// skipBOM skips a UTF-8 byte order mark at the beginning of the text.
func (s *scanner) skipBOM() error {
	for i, c := range []byte("\xef\xbb\xbf") {
		if s.pos == s.end && s.fill() != nil || s.buf[s.pos] != c {
			if i == 0 {
				return nil
			}
			return s.unexpected()
		}
		s.pos++
	}
	return nil
}

// finish skips the white space after the value and checks that the text ends there.
func (s *scanner) finish() error {
	if s.peek(); s.pos == s.end && errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.unexpected()
}

// maxNameSource is the maximum source length of a known name: numLoginFailures, all in
// escapes.
const maxNameSource = 6 * len("numLoginFailures")

// object reads an object and calls member with each name. member must read the value. The
// name is nil if it cannot be a known one. It is valid until the next value is read.
func (s *scanner) object(member func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// name reads a name and returns it, or nil if it cannot be a known one.
func (s *scanner) name() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.unexpected()
	}
	source, whole, err := s.quoted(maxNameSource)
	switch {
	case err != nil || !whole:
		return nil, err
	case bytes.IndexByte(source, '\\') < 0:
		return source, nil
	case s.decoded+maxNameSource > maxDecoded:
		return nil, nil
	}
	s.decoded += maxNameSource // short names cost as much
	return unquote(source), nil
}

// list reads an opening byte, items with commas between, and a closing byte.
func (s *scanner) list(opening, closing byte, item func() error) error {
	if err := s.expect(opening); err != nil {
		return err
	}
	if s.peek() == closing {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.unexpected()
		}
	}
}

// expect reads the byte c and the white space before it.
func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.unexpected()
	}
	s.pos++
	return nil
}

// source reads a value and returns the first limit bytes of its source, and whether that is
// the whole source. The bytes are valid until the next value is read.
func (s *scanner) source(limit int) (source []byte, whole bool, err error) {
	s.value, s.valueRoom, s.truncated = s.value[:0], limit, false
	err = s.skip()
	s.valueRoom = 0
	return s.value, !s.truncated, err
}

// appendSource appends b to value, as far as valueRoom allows.
func (s *scanner) appendSource(b []byte) {
	n := min(len(b), s.valueRoom)
	s.value = append(s.value, b[:n]...)
	s.valueRoom -= n
	s.truncated = s.truncated || n < len(b)
}

// quoted reads the string that begins at the next byte. It returns the first limit bytes of
// the source between its quotes, and whether that is the whole source.
func (s *scanner) quoted(limit int) (source []byte, whole bool, err error) {
	source, whole, err = s.source(limit + len(`""`))
	if err != nil {
		return nil, false, err
	}
	// The last byte of a truncated string is one too many.
	return source[1 : len(source)-1], whole, nil
}

// maxDecoded bounds the decoded strings of one body together, in bytes of their source. It
// is several times what a session has. Names count only if they have escapes.
const maxDecoded = 256 << 10

// text reads the string that begins at the next byte, and returns it decoded and as valid
// UTF-8. If its source is longer than limit bytes, text returns the beginning and false. The
// bytes are valid until the next value is read.
func (s *scanner) text(limit int) (text []byte, whole bool, err error) {
	source, whole, err := s.quoted(min(limit, maxDecoded-s.decoded))
	if err != nil {
		return nil, false, err
	}
	s.decoded += len(source)
	return unquote(source), whole, nil
}

// unquote decodes the source of a string. The source may end within an escape.
func unquote(source []byte) []byte {
	needsDecoding := func(c byte) bool { return c == '\\' || c >= utf8.RuneSelf }
	if !slices.ContainsFunc(source, needsDecoding) {
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
