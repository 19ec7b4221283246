package hmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	scanBufferSize = 32 << 10
	// maxDepth bounds the nesting of arrays and objects, for each of which the scanner
	// keeps a bit.
	maxDepth = 1 << 20
)

// A formError says what is wrong with a body, in words of this side only.
type formError string

func (e formError) Error() string { return string(e) }

const (
	errTooLarge formError = "the body is larger than max_body_size"
	errTooDeep  formError = "the JSON is nested too deep"
)

// A scanner walks over one JSON text (RFC 8259) that it reads through a buffer of
// fixed size. It checks the grammar of all that it passes, except that a string may hold
// bytes that are not UTF-8, and keeps only what it is told to.
type scanner struct {
	src      io.Reader
	left     int64 // how many more bytes src may give
	err      error // what reading src ended in
	buf      []byte
	pos, end int   // unread bytes are buf[pos:end]
	offset   int64 // bytes before buf[0]

	value     []byte // source of the last value that was to be kept
	valueRoom int    // how many more bytes may be kept
	truncated bool   // whether there were more than may be kept
	decoded   int    // bytes of the source of strings, so far

	open nesting // containers that are being skipped
}

// reset makes s ready to read up to limit bytes of src.
func (s *scanner) reset(src io.Reader, limit int64) {
	if s.buf == nil {
		s.buf = make([]byte, scanBufferSize)
	}
	*s = scanner{src: src, left: limit, buf: s.buf, value: s.value[:0], open: nesting{bits: s.open.bits[:0]}}
}

// fill reads more into the buffer, all of whose bytes have been passed.
// At the end of the text it returns io.EOF. An error stays.
func (s *scanner) fill() error {
	if s.err != nil {
		return s.err
	}
	s.offset += int64(s.end)
	s.pos, s.end = 0, 0
	// One byte beyond the limit is asked for, to tell a body of exactly the
	// limit from a larger one.
	room := s.buf[:min(int64(len(s.buf)), s.left+1)]
	for range 100 {
		n, err := s.src.Read(room)
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

// peek returns the next byte that is not white space, without passing it.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			if c := s.buf[s.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// skipMark passes a UTF-8 byte order mark, which only the beginning of a text can have.
func (s *scanner) skipBOM() error {
	for i, c := range []byte("\xef\xbb\xbf") {
		if s.pos == s.end {
			if err := s.fill(); err != nil {
				return unexpected(err)
			}
		}
		if s.buf[s.pos] != c {
			if i == 0 {
				return nil
			}
			return s.syntaxError()
		}
		s.pos++
	}
	return nil
}

// head is peek where the text may not end.
func (s *scanner) mustPeek() (byte, error) {
	c, err := s.peek()
	if err != nil {
		return 0, unexpected(err)
	}
	return c, nil
}

// finish passes the white space behind the value and makes sure that the text ends there.
func (s *scanner) finish() error {
	_, err := s.peek()
	switch {
	case err == nil:
		return s.syntaxError()
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// syntaxError complains about the next byte.
func (s *scanner) syntaxError() error {
	return formError(fmt.Sprintf("the body is not JSON at byte %d", s.offset+int64(s.pos)))
}

// maxNameSource is how long the source of a name that is looked for can be: that
// of numLoginFailures, all in escapes.
const maxNameSource = 6 * len("numLoginFailures")

// object passes an object and calls member with each name in it, which has to
// pass the value. A name that cannot be one that is looked for is nil. It is good until
// the next value is passed.
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

// name passes a name and returns it, or nil if it cannot be one that is looked for.
func (s *scanner) name() ([]byte, error) {
	if c, err := s.mustPeek(); err != nil {
		return nil, err
	} else if c != '"' {
		return nil, s.syntaxError()
	}
	source, whole, err := s.quoted(maxNameSource)
	if err != nil || !whole {
		return nil, err
	}
	return unquoteName(source), nil
}

// array passes an array and calls element for each one, which has to pass it.
func (s *scanner) array(element func() error) error { return s.list('[', ']', element) }

// list passes an opening byte, items with commas between, and a closing byte.
func (s *scanner) list(opening, closing byte, item func() error) error {
	if err := s.expect(opening); err != nil {
		return err
	}
	c, err := s.mustPeek()
	if err != nil {
		return err
	}
	if c == closing {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		c, err := s.mustPeek()
		if err != nil {
			return err
		}
		if c != ',' && c != closing {
			return s.syntaxError()
		}
		if s.pos++; c == closing {
			return nil
		}
	}
}

// expect passes the byte c and the white space before it.
func (s *scanner) expect(c byte) error {
	if got, err := s.mustPeek(); err != nil {
		return err
	} else if got != c {
		return s.syntaxError()
	}
	s.pos++
	return nil
}

// source passes a value and returns the first limit bytes of its source, and whether
// these are all. They are good until the next value is passed.
func (s *scanner) source(limit int) (source []byte, whole bool, err error) {
	s.value, s.valueRoom, s.truncated = s.value[:0], limit, false
	err = s.skip()
	s.valueRoom = 0
	return s.value, !s.truncated, err
}

// note keeps b as far as there is room.
func (s *scanner) keep(b []byte) {
	n := min(len(b), s.valueRoom)
	s.value = append(s.value, b[:n]...)
	s.valueRoom -= n
	s.truncated = s.truncated || n < len(b)
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

// skip passes one value of any kind and depth, and notes its source. It does not call
// itself: the depth is the server's choice.
func (s *scanner) skip() error {
	s.open.depth = 0
	for at := beforeValue; ; {
		begin := s.pos
		at = s.walk(at)
		s.keep(s.buf[begin:s.pos])
		switch at {
		case done:
			return nil
		case illegal:
			return s.syntaxError()
		case tooDeep:
			return errTooDeep
		}
		if err := s.fill(); err != nil {
			return unexpected(err)
		}
	}
}

// walk goes on from a state to the end of the value, or of what is in the buffer,
// and returns the state that it is in there. A large body passes here byte by byte,
// nearly all of it: hence the variables that a processor keeps at hand, and the loop
// in the loop, for long ways within one state.
func (s *scanner) walk(at state) state {
	buf, n := s.buf[s.pos:s.end], 0
	for n < len(buf) && at < illegal {
		row := &grammar[at]
		for n < len(buf) && row[buf[n]] == at { // as within a string
			n++
		}
		if n == len(buf) {
			break
		}
		if at = row[buf[n]]; at < ended {
			n++
		}
		if at >= states {
			at = s.open.resolve(at)
		}
	}
	s.pos += n
	return at
}
