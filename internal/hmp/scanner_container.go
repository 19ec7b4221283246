package hmp

// maxNameSource is how long the source of a name that is looked for can be: that
// of numLoginFailures, all in escapes.
const maxNameSource = 6 * len("numLoginFailures")

// object passes an object and calls member with each name in it, which has to
// pass the value. A name that is none of those looked for can be nil. A name is good
// until the next value is passed.
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

// name passes a name and returns it, or nil if it is too long or not of ASCII
// characters only.
func (s *scanner) name() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	source, whole, err := s.keep(maxNameSource, s.quoted)
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
	s.open.depth = 0
	for {
		opened, err := s.skipHead(&s.open)
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if done, err := s.skipTail(&s.open); done || err != nil {
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
