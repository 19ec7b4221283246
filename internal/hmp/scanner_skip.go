package hmp

// skip passes one value of any kind and depth, and notes its source. It does not call
// itself: the depth is the far side's choice.
func (s *scanner) skip() error {
	s.open.depth = 0
	for at := beforeValue; ; {
		begin := s.pos
		at = s.walk(at)
		s.note(s.buf[begin:s.pos])
		switch at {
		case behindAll:
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
			at = s.open.turn(at)
		}
	}
	s.pos += n
	return at
}
