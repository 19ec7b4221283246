package hmp

// nesting is a stack with a bit for each open container: 1 for an object.
type nesting struct {
	bits  []uint64
	depth int
}

// push notes a container and returns false if it is one too many.
func (n *nesting) push(object bool) bool {
	if n.depth == maxDepth {
		return false
	}
	word, bit := n.depth/64, uint64(1)<<(n.depth%64)
	if word == len(n.bits) {
		n.bits = append(n.bits, 0)
	}
	if object {
		n.bits[word] |= bit
	} else {
		n.bits[word] &^= bit
	}
	n.depth++
	return true
}

// top tells whether the innermost container is an object.
func (n *nesting) top() bool {
	i := n.depth - 1
	return n.bits[i/64]>>(i%64)&1 == 1
}
