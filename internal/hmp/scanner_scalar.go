package hmp

import (
	"bytes"
	"encoding/json"
	"strconv"
)

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

// keep makes what pass passes end up in s.kept, as far as it is at most limit bytes.
func (s *scanner) keep(limit int, pass func() error) (kept []byte, whole bool, err error) {
	s.kept, s.room, s.cut = s.kept[:0], limit, false
	err = pass()
	s.room = 0
	return s.kept, !s.cut, err
}

// note keeps b as far as there is room.
func (s *scanner) note(b ...byte) {
	n := min(len(b), s.room)
	s.kept = append(s.kept, b[:n]...)
	s.room -= n
	s.cut = s.cut || n < len(b)
}

// maxDecoded bounds the strings of one body that are decoded, all together, in bytes of
// their source. It is several times what a session has of them.
const maxDecoded = 256 << 10

// text passes a string and returns it, decoded and as valid UTF-8. Of a string
// whose source is longer than limit bytes it returns a beginning, and false. The
// bytes are good until the next value is passed.
func (s *scanner) text(limit int) (text []byte, whole bool, err error) {
	if err := s.expect('"'); err != nil {
		return nil, false, err
	}
	source, whole, err := s.keep(min(limit, maxDecoded-s.decoded), s.quoted)
	if err != nil {
		return nil, false, err
	}
	s.decoded += len(source)
	return unquote(source), whole, nil
}

// unquote decodes the source of a string, which may have been cut in an escape.
func unquote(source []byte) []byte {
	plain := func(c rune) bool { return c < 0x80 && c != '\\' }
	if bytes.IndexFunc(source, func(c rune) bool { return !plain(c) }) < 0 {
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
// millions of names. It returns nil for one that is not of visible ASCII characters
// only.
func unquoteName(source []byte) []byte {
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

// quoted passes the rest of a string, behind its opening quote.
func (s *scanner) quoted() error {
	for {
		run := s.buf[s.pos:s.end]
		n := 0
		for n < len(run) && !special[run[n]] {
			n++
		}
		s.note(run[:n]...)
		s.pos += n
		if n == len(run) {
			if err := s.fill(); err != nil {
				return unexpected(err)
			}
			continue
		}
		switch run[n] {
		case '"':
			s.pos++
			return nil
		case '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			return s.syntaxError()
		}
	}
}

// special marks the bytes at which a string stops being plain: its end, an
// escape, and the control characters that JSON forbids in one.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// escape passes an escape sequence.
func (s *scanner) escape() error {
	var seq [6]byte
	n := 2
	for i := 0; i < n; i++ {
		c, err := s.next()
		if err != nil {
			return err
		}
		switch {
		case i == 0:
		case i == 1 && c == 'u':
			n = len(seq)
		case i == 1 && bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0:
		case i > 1 && isHex(c):
		default:
			s.pos--
			return s.syntaxError()
		}
		seq[i] = c
	}
	s.note(seq[:n]...)
	return nil
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number passes a number and returns its source, and false if it is not one that
// a float64 was meant to hold.
func (s *scanner) number() (source []byte, whole bool, err error) {
	return s.keep(64, s.digits)
}

// digits passes a number.
func (s *scanner) digits() error {
	s.optional('-')
	if !s.optional('0') {
		if err := s.run(); err != nil {
			return err
		}
	}
	if s.optional('.') {
		if err := s.run(); err != nil {
			return err
		}
	}
	if s.optional('e') || s.optional('E') {
		if !s.optional('+') {
			s.optional('-')
		}
		return s.run()
	}
	return nil
}

// run passes one or more digits.
func (s *scanner) run() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if !isDigit(c) {
		s.pos--
		return s.syntaxError()
	}
	s.note(c)
	for isDigit(s.ahead()) {
		s.note(s.buf[s.pos])
		s.pos++
	}
	return nil
}

// optional passes the byte c if it comes next.
func (s *scanner) optional(c byte) bool {
	if s.ahead() != c {
		return false
	}
	s.note(c)
	s.pos++
	return true
}

// ahead returns the next byte without passing it, or 0 where none is to be had:
// who needs one will meet the error again.
func (s *scanner) ahead() byte {
	if s.pos == s.end && s.fill() != nil {
		return 0
	}
	return s.buf[s.pos]
}
