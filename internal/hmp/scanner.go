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
// fixed size. It checks the grammar of all that it passes, and keeps only what it is
// told to.
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

	kept    []byte // source of the last value that was to be kept
	room    int    // how many more bytes may be kept
	cut     bool   // whether there were more than may be kept
	decoded int    // bytes of the source of strings, so far

	open nesting // containers that are being skipped
}

// reset makes s ready to read up to limit bytes of src.
func (s *scanner) reset(src io.Reader, limit int64) {
	if s.buf == nil {
		s.buf = make([]byte, scanBufferSize)
	}
	*s = scanner{src: src, left: limit, buf: s.buf, kept: s.kept[:0], open: nesting{bits: s.open.bits[:0]}}
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
	if err != nil {
		return 0, unexpected(err)
	}
	return c, nil
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
