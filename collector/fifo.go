package collector

import "slices"

// A fifo is a first-in first-out queue. The zero value is empty.
type fifo[T any] struct {
	items []T
	first int
}

func (f *fifo[T]) len() int { return len(f.items) - f.first }

func (f *fifo[T]) push(item T) {
	if f.first > len(f.items)/2 { // otherwise a queue that is never empty would grow for ever
		f.items, f.first = slices.Delete(f.items, 0, f.first), 0
	}
	f.items = append(f.items, item)
}

// front returns the first item. The queue must not be empty.
func (f *fifo[T]) front() T { return f.items[f.first] }

// pop removes the first item and returns it. The queue must not be empty.
func (f *fifo[T]) pop() T {
	item := f.front()
	clear(f.items[f.first : f.first+1])
	if f.first++; f.len() == 0 {
		f.items, f.first = f.items[:0], 0
	}
	return item
}

// remove removes the items that match and returns them.
func (f *fifo[T]) remove(match func(T) bool) (removed []T) {
	f.items = slices.DeleteFunc(f.items[f.first:], func(item T) bool {
		matches := match(item)
		if matches {
			removed = append(removed, item)
		}
		return matches
	})
	f.first = 0
	return removed
}
