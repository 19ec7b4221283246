package hmp

// nesting is a stack with a bit for each open container: 1 for an object.
type nesting struct {
	bits  []uint64
	depth int
}

// turn returns the state that the grammar leaves open with one of its marks.
func (n *nesting) turn(mark state) state {
	switch mark {
	case opensObject:
		return n.push(1, beforeMember)
	case opensArray:
		return n.push(0, beforeElement)
	case illegal:
		return illegal
	case closes:
		n.depth--
	}
	return n.behind()
}

// push notes a container and returns the state within it.
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

// behind returns the state behind a value in the innermost container.
func (n *nesting) behind() state {
	i := n.depth - 1
	switch {
	case i < 0:
		return behindAll
	case n.bits[i/64]>>(i%64)&1 == 1:
		return behindMember
	default:
		return behindElement
	}
}
