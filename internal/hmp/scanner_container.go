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

// name passes a name and returns it, or nil if it cannot be one that is looked for.
func (s *scanner) name() ([]byte, error) {
	c, err := s.head()
	if err != nil {
		return nil, err
	}
	if c != '"' {
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
