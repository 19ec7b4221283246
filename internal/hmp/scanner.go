package hmp

import (
	"errors"
	"fmt"
	"io"
)

const (
	scanBufferSize = 32 << 10
	// maxDepth bounds the nesting of arrays and objects, and with it the
	// scanner's only memory that depends on the input: a bit for each level.
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
// fixed size. It checks the grammar of all it passes, and keeps nothing.
//
// It differs from encoding/json in one way, to get on with a sloppy server: a
// string may hold bytes that are not UTF-8.
type scanner struct {
	src      io.Reader
	left     int64 // how many more bytes src may give
	err      error // what reading src ended in
	buf      []byte
	pos, end int   // unread bytes are buf[pos:end]
	passed   int64 // bytes before buf[0]

	kept []byte // source of the last value that was to be kept
	room int    // how many more bytes may be kept
	cut  bool   // whether there were more than that
}

// reset makes s ready to read up to limit bytes of src.
func (s *scanner) reset(src io.Reader, limit int64) {
	if s.buf == nil {
		s.buf = make([]byte, scanBufferSize)
	}
	*s = scanner{src: src, left: limit, buf: s.buf, kept: s.kept[:0]}
}

// fill reads more into the buffer, all of whose bytes have been passed.
// At the end of the text it returns io.EOF. An error stays.
func (s *scanner) fill() error {
	if s.err == nil {
		s.err = s.read()
	}
	return s.err
}

func (s *scanner) read() error {
	s.passed += int64(s.end)
	s.pos, s.end = 0, 0
	// One byte beyond the limit is asked for, to tell a body of exactly the
	// limit from a larger one.
	room := s.buf
	if int64(len(room)) > s.left+1 {
		room = room[:s.left+1]
	}
	for range 100 {
		n, err := s.src.Read(room)
		if n > 0 {
			if s.left -= int64(n); s.left < 0 {
				return errTooLarge
			}
			s.end = n
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// next returns the next byte and passes it. The end of the text is
// io.ErrUnexpectedEOF here, as it comes in the middle of something.
func (s *scanner) next() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, unexpected(err)
		}
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
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

// head is peek where the text may not end.
func (s *scanner) head() (byte, error) {
	c, err := s.peek()
	return c, unexpected(err)
}

// finish passes the white space behind the value and makes sure that the text ends there.
func (s *scanner) finish() error {
	switch _, err := s.peek(); {
	case err == nil:
		return s.syntaxError()
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// syntaxError complains about the next byte.
func (s *scanner) syntaxError() error {
	return formError(fmt.Sprintf("the body is not JSON at byte %d", s.passed+int64(s.pos)))
}

// object passes an object and calls member with each name in it, which has to
// pass the value. Names longer than any that is looked for are cut. A name is
// good until the next value is passed.
func (s *scanner) object(member func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, _, err := s.text(64)
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// array passes an array and calls element for each one, which has to pass it.
func (s *scanner) array(element func() error) error { return s.list('[', ']', element) }

// list passes an opening byte, items with commas between, and a closing byte.
func (s *scanner) list(opening, closing byte, item func() error) error {
	if err := s.expect(opening); err != nil {
		return err
	}
	c, err := s.head()
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
		c, err := s.head()
		if err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.syntaxError()
		}
	}
}

// expect passes the byte c and the white space before it.
func (s *scanner) expect(c byte) error {
	got, err := s.head()
	if err != nil {
		return err
	}
	if got != c {
		return s.syntaxError()
	}
	s.pos++
	return nil
}

// skip passes one value of any kind and depth. It does not call itself: the depth
// is the far side's choice.
func (s *scanner) skip() error {
	var open nesting
	for {
		opened, err := s.skipHead(&open)
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if done, err := s.skipTail(&open); done || err != nil {
			return err
		}
	}
}

// skipHead passes a scalar, an empty container, or the beginning of a container
// up to its first value; then it notes the container in open and returns true.
func (s *scanner) skipHead(open *nesting) (opened bool, err error) {
	c, err := s.head()
	if err != nil {
		return false, err
	}
	if c != '{' && c != '[' {
		return false, s.scalar(c)
	}
	s.pos++
	closing, err := s.head()
	if err != nil {
		return false, err
	}
	if closing == c+2 { // in ASCII, } stands two behind {, and ] two behind [
		s.pos++
		return false, nil
	}
	if !open.push(c == '{') {
		return false, errTooDeep
	}
	if c == '{' {
		return true, s.skipName()
	}
	return true, nil
}

// skipTail passes what may follow a value: a comma and, in an object, the next
// name; or the ends of containers. It returns true behind the outermost value.
func (s *scanner) skipTail(open *nesting) (done bool, err error) {
	for open.depth > 0 {
		c, err := s.head()
		if err != nil {
			return false, err
		}
		inObject := open.top()
		switch {
		case c == ',':
			s.pos++
			if inObject {
				return false, s.skipName()
			}
			return false, nil
		case c == '}' && inObject, c == ']' && !inObject:
			s.pos++
			open.depth--
		default:
			return false, s.syntaxError()
		}
	}
	return true, nil
}

func (s *scanner) skipName() error {
	if err := s.expect('"'); err != nil {
		return err
	}
	if err := s.quoted(); err != nil {
		return err
	}
	return s.expect(':')
}

// scalar passes the string, number or literal that begins with c.
func (s *scanner) scalar(c byte) error {
	switch c {
	case '"':
		s.pos++
		return s.quoted()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.digits()
	}
}

func (s *scanner) literal(word string) error {
	for i := range len(word) {
		c, err := s.next()
		if err != nil {
			return err
		}
		if c != word[i] {
			s.pos--
			return s.syntaxError()
		}
	}
	return nil
}
