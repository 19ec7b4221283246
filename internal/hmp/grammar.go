package hmp

// For each state and byte, the table grammar has the next state, or a pseudo-state that
// depends on the open containers. [scanner.skip] reads {"a":[1]} so:
//
//	byte  in the table     next state     open containers
//	{     opensObject      beforeMember   {
//	"     inName           inName         {
//	a     inName           inName         {
//	"     beforeColon      beforeColon    {
//	:     beforeValue      beforeValue    {
//	[     opensArray       beforeElement  { [
//	1     integer          integer        { [
//	]     followsNumber    afterElement   { [       the ] is read again
//	]     closesContainer  afterMember    {
//	}     closesContainer  complete

// A state is the scanner's position within a JSON value. It decides what may come next.
type state uint8

const (
	beforeValue   state = iota
	beforeElement       // after [, where ] may come too
	beforeMember        // after {, where } may come too
	beforeName
	beforeColon
	afterElement
	afterMember

	inString
	escape // after a backslash
	hex1   // before the first of four digits
	hex2
	hex3
	hex4

	inName // the same states again, for the name of a member
	nameEscape
	nameHex1
	nameHex2
	nameHex3
	nameHex4

	minus
	zero // only a fraction or an exponent may follow
	integer
	point
	fraction
	letterE
	exponentSign
	exponent

	inLiteral // one state after each letter of true, false and null, except the last

	states = inLiteral + state(len("true"+"false"+"null")-3)
)

// The grammar has one of these pseudo-states if the next state depends on the containers
// around the value. Each says what the byte does.
const (
	opensObject state = states + iota
	opensArray
	closesContainer
	endsValue     // it is the last byte of a string or a literal
	followsNumber // it is the first byte after a number, and read again in the next state

	// These end the scan.
	illegal
	tooDeep
	complete // the value has been read
)

// grammar has the next state for each state and byte. It is the grammar of RFC 8259 without
// the nesting of containers, see [nesting].
var grammar = func() (g [states][256]state) {
	set := func(at state, bytes string, next state) {
		for _, c := range []byte(bytes) {
			g[at][c] = next
		}
	}
	for at := range g {
		for c := range g[at] {
			g[at][c] = illegal
		}
	}
	for c := range g[zero] {
		g[zero][c], g[integer][c], g[fraction][c], g[exponent][c] = followsNumber, followsNumber, followsNumber, followsNumber
	}
	for c := ' '; c <= 0xff; c++ {
		g[inString][c], g[inName][c] = inString, inName
	}
	for _, rule := range grammarRules {
		set(rule.at, rule.bytes, rule.next)
	}
	free := inLiteral
	for _, word := range []string{"true", "false", "null"} {
		at := beforeValue
		for ; len(word) > 1; word = word[1:] {
			set(at, word[:1], free)
			at = free
			free++
		}
		set(at, word, endsValue)
	}
	g[beforeElement] = g[beforeValue]
	set(beforeElement, `]`, closesContainer)
	for at := beforeValue; at <= afterMember; at++ {
		set(at, " \t\r\n", at)
	}
	return g
}()

const (
	decimal     = "0123456789"
	hexadecimal = decimal + "abcdefABCDEF"
)

// grammarRules are the transitions for single bytes. A later rule replaces an earlier one.
var grammarRules = []struct {
	at    state
	bytes string
	next  state
}{
	{beforeValue, `{`, opensObject}, {beforeValue, `[`, opensArray}, {beforeValue, `"`, inString},
	{beforeValue, `-`, minus}, {beforeValue, decimal, integer}, {beforeValue, `0`, zero},
	{beforeMember, `"`, inName}, {beforeMember, `}`, closesContainer},
	{beforeName, `"`, inName}, {beforeColon, `:`, beforeValue},
	{afterMember, `,`, beforeName}, {afterMember, `}`, closesContainer},
	{afterElement, `,`, beforeValue}, {afterElement, `]`, closesContainer},

	{inString, `"`, endsValue}, {inString, `\`, escape},
	{escape, `"\/bfnrt`, inString}, {escape, `u`, hex1},
	{hex1, hexadecimal, hex2}, {hex2, hexadecimal, hex3}, {hex3, hexadecimal, hex4}, {hex4, hexadecimal, inString},

	{inName, `"`, beforeColon}, {inName, `\`, nameEscape},
	{nameEscape, `"\/bfnrt`, inName}, {nameEscape, `u`, nameHex1},
	{nameHex1, hexadecimal, nameHex2}, {nameHex2, hexadecimal, nameHex3}, {nameHex3, hexadecimal, nameHex4}, {nameHex4, hexadecimal, inName},

	{minus, decimal, integer}, {minus, `0`, zero}, {integer, decimal, integer},
	{zero, `.`, point}, {integer, `.`, point}, {point, decimal, fraction}, {fraction, decimal, fraction},
	{zero, `eE`, letterE}, {integer, `eE`, letterE}, {fraction, `eE`, letterE},
	{letterE, `+-`, exponentSign}, {letterE, decimal, exponent}, {exponentSign, decimal, exponent}, {exponent, decimal, exponent},
}

// nesting is a stack with one bit for each open container: 1 for an object, 0 for an array.
type nesting struct {
	bits  []uint64
	depth int
}

// resolve returns the state for a pseudo-state of the grammar.
func (n *nesting) resolve(pseudoState state) state {
	switch pseudoState {
	case opensObject:
		return n.push(1, beforeMember)
	case opensArray:
		return n.push(0, beforeElement)
	case illegal:
		return illegal
	case closesContainer:
		n.depth--
	}
	return n.afterValue()
}

// push opens a container and returns the state within it.
func (n *nesting) push(bit uint64, within state) state {
	if n.depth == maxDepth {
		return tooDeep
	}
	i, j := n.depth/64, n.depth%64
	if i == len(n.bits) {
		n.bits = append(n.bits, 0)
	}
	n.bits[i] = n.bits[i]&^(1<<j) | bit<<j
	n.depth++
	return within
}

// afterValue returns the state after a value in the innermost container.
func (n *nesting) afterValue() state {
	i := n.depth - 1
	switch {
	case i < 0:
		return complete
	case n.bits[i/64]>>(i%64)&1 == 1:
		return afterMember
	default:
		return afterElement
	}
}

// skip reads one value of any kind and depth, and keeps its source. It is not recursive,
// because the server chooses the depth.
func (s *scanner) skip() error {
	s.open.depth = 0
	for at := beforeValue; ; {
		begin := s.pos
		at = s.walk(at)
		s.appendSource(s.buf[begin:s.pos])
		switch at {
		case complete:
			return nil
		case illegal:
			return s.unexpected()
		case tooDeep:
			return errTooDeep
		}
		if s.fill() != nil {
			return s.unexpected()
		}
	}
}

// walk reads from a state to the end of the value or of the buffer, and returns the state
// there. Nearly every byte of a large body passes here. So the variables are local, and an
// inner loop handles long runs within one state.
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
		if at = row[buf[n]]; at < followsNumber {
			n++
		}
		if at >= states { // a pseudo-state
			at = s.open.resolve(at)
		}
	}
	s.pos += n
	return at
}
