package collector

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// initialLimit is the first limit of a target.
	initialLimit = 8
	// maxTick is how often a limiter checks whether a target needs a higher limit. It is
	// more often if probes have little time.
	maxTick = 20 * time.Millisecond
	// maxTicks is how many ticks the queue of a target may take at the current rate of
	// answers. If it would take longer, the limit doubles.
	maxTicks = 20
)

// Rule: a target's limit is learnt. It begins at 8. It doubles at each tick while the queue is
// too long for the answers since the last tick, even if there were none. It is 8 again once no
// probe is under way. The limit belongs to the name of the target and survives reloads.
//
// Rule: if there are several targets, fairShare bounds the limit. An HMP that answers gets half
// of all slots at most. An HMP that hangs gets 8 at most, however many sessions it has.

// A limiter bounds the probes under way, in total and per target.
type limiter struct {
	max int

	mu      sync.Mutex
	running int
	targets map[string]*targetLimit
	// The targets that have a probe to start and may start it. New and hanging targets are in
	// readyLast, and the others in ready.
	ready, readyLast fifo[*targetLimit]
}

// A targetLimit is the state of one target.
type targetLimit struct {
	*limiter          // guards it
	maxConcurrent int // as configured; 0 for any number
	limit         int
	learned       int // the limit that the HMP needed when it last answered
	running       int
	busySince     time.Time // when running was last 0
	lastAnswer    time.Time
	answers       int  // since the last tick
	hanging       bool // a probe timed out that began after the last answer
	inReady       bool // it is in ready or readyLast
	queue         fifo[*waiter]
	interval      time.Duration // between ticks; 0 unless somebody waits
}

// A waiter waits for a slot of a target.
type waiter struct {
	limit   *targetLimit
	order   int64     // waiters that are queued together start in this order
	since   time.Time // when it began to wait
	startBy time.Time // the latest time at which it may start
	task    task
}

// A task needs a slot. The limiter calls one of the two methods, once.
type task interface {
	// run runs in a goroutine of its own and releases the slot. It returns what release
	// returns.
	run() (next *waiter)
	// refused is called if there was no slot in time. hangs is true if the HMP hangs, false
	// if other targets had all slots.
	refused(hangs bool)
}

// start runs a waiter that has a slot, and then the waiters that get the slot after it. They
// share the goroutine, because its stack has already grown. w may be nil.
func start(w *waiter) {
	if w != nil {
		go func() {
			for next := w; next != nil; {
				next = next.task.run()
			}
		}()
	}
}

func newLimiter(most int) *limiter {
	return &limiter{max: most, targets: make(map[string]*targetLimit)}
}

// target returns the limit of a target. If most is not 0, the limit is never above it.
func (l *limiter) target(name string, most int) *targetLimit {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.targets[name]
	if t == nil {
		t = &targetLimit{limiter: l, limit: initialLimit}
		l.targets[name] = t
	}
	t.maxConcurrent = most
	return t
}

// forget drops the limits of targets that are no longer configured. A limit that is in use
// stays until a later call, because the target can be configured again meanwhile.
func (l *limiter) forget(configured func(name string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.targets, func(name string, t *targetLimit) bool {
		return !configured(name) && t.running == 0 && t.queue.len() == 0
	})
}

// enqueue queues waiters. It grants slots only after all are queued. Otherwise the first
// targets of the configuration would get all slots.
func (l *limiter) enqueue(waiters ...*waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(waiters, func(a, b *waiter) int { return cmp.Compare(a.order, b.order) })
	for _, w := range waiters {
		w.limit.queue.push(w)
		w.limit.markReady()
	}
	start(l.dispatch())
	for _, w := range waiters {
		if t := w.limit; t.queue.len() > 0 && t.interval == 0 {
			t.interval = max(time.Millisecond, min(maxTick, time.Until(w.startBy)/200))
			t.scheduleTick()
		}
	}
}

// A feedback says how the HMP behaved in a probe that releases its slot.
type feedback int

const (
	noFeedback feedback = iota
	answered
	timedOut
)

// release returns a slot that was granted at a time. If a waiter gets the slot, release
// returns the waiter, and the caller must run it.
func (t *targetLimit) release(granted time.Time, e feedback) (next *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e == answered:
		t.answers++
		t.lastAnswer, t.hanging, t.learned = time.Now(), false, t.limit
	case e == timedOut && granted.After(t.lastAnswer):
		t.hanging, t.learned = true, 0
	}
	t.running--
	t.limiter.running--
	t.markReady()
	return t.dispatch()
}

// dispatch grants the free slots. It starts the waiters that get them, except the first. It
// returns the first, or nil.
func (l *limiter) dispatch() (first *waiter) {
	for l.running < l.max {
		t := l.popReady()
		if t == nil {
			break
		}
		t.inReady = false
		if !t.startable() {
			continue
		}
		now := time.Now()
		if t.running == 0 {
			t.busySince, t.limit = now, initialLimit
		}
		switch w := t.queue.pop(); {
		case !now.Before(w.startBy):
			go w.task.refused(t.isHangingLocked(w.since))
		default:
			l.running++
			t.running++
			if first == nil {
				first = w
			} else {
				start(w)
			}
		}
		t.markReady()
	}
	return first
}

// popReady removes the first target from ready and returns it.
func (l *limiter) popReady() *targetLimit {
	switch {
	case l.ready.len() > 0:
		return l.ready.pop()
	case l.readyLast.len() > 0:
		return l.readyLast.pop()
	default:
		return nil
	}
}

// markReady puts t into ready if it may start a probe.
func (t *targetLimit) markReady() {
	if t.inReady || !t.startable() {
		return
	}
	t.inReady = true
	if t.hanging || t.lastAnswer.IsZero() {
		t.readyLast.push(t)
	} else {
		t.ready.push(t)
	}
}

func (t *targetLimit) startable() bool {
	return t.queue.len() > 0 && t.running < min(t.limit, t.maxRunning())
}

// maxRunning returns how many probes of the target may be under way now.
func (t *targetLimit) maxRunning() int {
	if t.maxConcurrent > 0 {
		return min(t.maxConcurrent, t.fairShare())
	}
	return t.fairShare()
}

// fairShare returns how many of all slots the target may have. A single target may have all
// slots. One of several may have half of them, and only a few while it does not answer.
func (t *targetLimit) fairShare() int {
	targets := len(t.targets)
	if targets <= 1 { // 0: a scrape of an older configuration came after the limit was dropped
		return t.max
	}
	most := max(1, t.max/2)
	if t.answering() {
		return most
	}
	few := max(1, min(initialLimit, t.max/targets))
	return min(max(few, t.learned), most)
}

// answering reports whether the HMP has answered since its first probe under way began.
func (t *targetLimit) answering() bool { return !t.hanging && !t.lastAnswer.Before(t.busySince) }

// tick raises the limit if necessary, and refuses the waiters whose time is over.
func (t *targetLimit) tick() {
	t.mu.Lock()
	if t.queue.len() > maxTicks*t.answers {
		t.limit = min(2*t.limit, t.max)
	}
	t.answers = 0
	t.markReady()
	start(t.dispatch())
	now := time.Now()
	refused := t.queue.remove(func(w *waiter) bool { return !now.Before(w.startBy) })
	if t.queue.len() > 0 {
		t.scheduleTick()
	} else {
		t.interval = 0
	}
	hanging := make([]bool, len(refused))
	for i, w := range refused {
		hanging[i] = t.isHangingLocked(w.since)
	}
	t.mu.Unlock()
	for i, w := range refused {
		w.task.refused(hanging[i])
	}
}

// isHanging reports whether the HMP hangs: all slots of the target are in use, and there was
// no answer for most of the time since then.
func (t *targetLimit) isHanging(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isHangingLocked(since)
}

func (t *targetLimit) isHangingLocked(since time.Time) bool {
	return t.running >= t.maxRunning() && t.lastAnswer.Before(since.Add(time.Since(since)/4))
}

// scheduleTick schedules the next tick, or an earlier one when the time of a waiter is over.
func (t *targetLimit) scheduleTick() {
	next := min(t.interval, time.Until(t.queue.items[t.queue.first].startBy))
	time.AfterFunc(max(next, time.Millisecond), t.tick)
}

// A slot is the slot of one probe.
type slot struct {
	limit    *targetLimit
	granted  time.Time
	released bool // other probes may have it
}

// idleSlotTimeout is how long a probe keeps its slot while it does not use it.
const idleSlotTimeout = 50 * time.Millisecond

// lend calls wait, which does not use the slot. If that takes long, lend releases the slot with
// a feedback, and other probes get it meanwhile.
func (s *slot) lend(f feedback, wait func()) {
	if s.released {
		wait()
		return
	}
	granted := s.granted
	timer := time.AfterFunc(idleSlotTimeout, func() { start(s.limit.release(granted, f)) })
	defer func() { s.released = !timer.Stop() }() // also after a panic
	wait()
}

// regain waits for a slot if lend has released it. It gives up at a deadline, and then returns
// false.
func (s *slot) regain(deadline time.Time) bool {
	if s.released {
		got := make(slotChan, 1)
		s.limit.enqueue(&waiter{limit: s.limit, since: time.Now(), startBy: deadline, task: got})
		s.released, s.granted = !<-got, time.Now()
	}
	return !s.released
}

// release returns the slot, unless it is released already. It returns what
// [targetLimit.release] returns.
func (s *slot) release(e feedback) (next *waiter) {
	if s.released {
		return nil
	}
	return s.limit.release(s.granted, e)
}

// A slotChan is the task of a probe that waits for a slot a second time. It receives whether
// the probe has the slot.
type slotChan chan bool

func (c slotChan) run() *waiter { c <- true; return nil }
func (c slotChan) refused(bool) { c <- false }

// A fifo is a first-in first-out queue. The zero value is empty.
type fifo[T any] struct {
	items []T
	first int
}

func (f *fifo[T]) len() int { return len(f.items) - f.first }

func (f *fifo[T]) push(v T) {
	if f.first > len(f.items)/2 { // otherwise a queue that is never empty would grow for ever
		f.items, f.first = slices.Delete(f.items, 0, f.first), 0
	}
	f.items = append(f.items, v)
}

func (f *fifo[T]) pop() T {
	v := f.items[f.first]
	clear(f.items[f.first : f.first+1])
	if f.first++; f.len() == 0 {
		f.items, f.first = f.items[:0], 0
	}
	return v
}

// remove removes the items that match and returns them.
func (f *fifo[T]) remove(match func(T) bool) (removed []T) {
	f.items = slices.DeleteFunc(f.items[f.first:], func(v T) bool {
		matches := match(v)
		if matches {
			removed = append(removed, v)
		}
		return matches
	})
	f.first = 0
	return removed
}
