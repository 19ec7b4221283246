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
	// maxTickInterval is how often a limiter checks whether a target needs a higher limit. It is
	// more often if probes have little time.
	maxTickInterval = 20 * time.Millisecond
	// maxQueueTicks is how many ticks the queue of a target may take at the current rate of
	// answers. If it would take longer, the limit doubles.
	maxQueueTicks = 20
	// lowPriorityShare is how many slots are granted for one that goes to a target of low
	// priority, if other targets need all slots.
	lowPriorityShare = 8
)

// Rule: a target's limit is learnt. It begins at 8. It doubles at each tick while the queue is
// too long for the answers since the last tick, even if there were none. It is 8 again once no
// probe is under way. The limit belongs to the name of the target and survives reloads.
//
// Rule: if there are several targets, one cannot have all slots. An HMP that answers gets half
// of all slots at most. An HMP that hangs gets 8 at most, however many sessions it has. Until
// its first probe has timed out, it gets as many as when it last answered. While other HMPs need
// all slots, it gets one of eight.

// A limiter bounds the probes under way, in total and per target.
type limiter struct {
	slots int // in total

	mu      sync.Mutex
	running int
	targets map[string]*targetLimiter
	// configured is how many of the targets are in the configuration.
	configured int
	// The targets that have a probe to start and may start it. Those in lowPriority have not
	// answered yet, or hang.
	ready, lowPriority fifo[*targetLimiter]
	pops               int
}

// A targetLimiter is the limit of one target. The lock of the limiter guards it.
type targetLimiter struct {
	limiter       *limiter
	maxConcurrent int // as configured; 0 for any number
	limit         int
	limitAtAnswer int // the limit when the HMP last answered; 0 after a timeout
	running       int
	busySince     time.Time // when running was last 0
	lastAnswer    time.Time
	answers       int  // since the last tick
	timedOut      bool // a probe timed out that began after the last answer
	queue         fifo[*waiter]
	inReady       bool          // it is in ready or lowPriority
	tickInterval  time.Duration // 0 unless there is a waiter
}

func newLimiter(slots int) *limiter {
	return &limiter{slots: slots, targets: make(map[string]*targetLimiter)}
}

// target returns the limit of a target. If maxConcurrent is not 0, the limit is never above it.
func (l *limiter) target(name string, maxConcurrent int) *targetLimiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.targets[name]
	if t == nil {
		t = &targetLimiter{limiter: l, limit: initialLimit}
		l.targets[name] = t
		l.configured++
	}
	t.maxConcurrent = maxConcurrent
	return t
}

// forgetOthers drops the limits of all targets but the configured ones. A limit that is in use
// stays until a later call, because the target can be configured again meanwhile.
func (l *limiter) forgetOthers(configured map[string]*target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.configured = len(configured)
	maps.DeleteFunc(l.targets, func(name string, t *targetLimiter) bool {
		return configured[name] == nil && t.running == 0 && t.queue.len() == 0
	})
}

// enqueue queues waiters and returns. Each waiter's task runs when there is a slot for it.
// Slots are granted only after all waiters are queued. Otherwise the first targets of the
// configuration would get all slots.
func (l *limiter) enqueue(waiters ...*waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(waiters, func(a, b *waiter) int { return cmp.Compare(a.order, b.order) })
	for _, w := range waiters {
		w.limiter.queue.push(w)
		w.limiter.markReady()
	}
	startGoroutine(l.dispatch())
	for _, w := range waiters {
		if t := w.limiter; t.queue.len() > 0 && t.tickInterval == 0 {
			t.tickInterval = max(time.Millisecond, min(maxTickInterval, time.Until(w.startBy)/200))
			t.scheduleTick()
		}
	}
}

// release returns a slot that was granted at a time. If a waiter gets the slot, release
// returns the waiter, and the caller must run it.
func (t *targetLimiter) release(granted time.Time, f feedback) (next *waiter) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	switch {
	case f == answered:
		t.answers++
		t.lastAnswer, t.timedOut, t.limitAtAnswer = time.Now(), false, t.limit
	case f == probeTimedOut && granted.After(t.lastAnswer):
		t.timedOut, t.limitAtAnswer = true, 0
	}
	t.running--
	t.limiter.running--
	t.markReady()
	return t.limiter.dispatch()
}

// dispatch grants the free slots. It starts the waiters that get them, except the first. It
// returns the first, or nil.
func (l *limiter) dispatch() (first *waiter) {
	for l.running < l.slots {
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
		w := t.queue.pop()
		if !now.Before(w.startBy) {
			go w.task.refused(t.hangsLocked(w.since))
			t.markReady()
			continue
		}
		l.running++
		t.running++
		t.markReady()
		if first == nil {
			first = w
		} else {
			startGoroutine(w)
		}
	}
	return first
}

// popReady removes the first target that is ready and returns it, nil if there is none.
func (l *limiter) popReady() *targetLimiter {
	l.pops++
	switch {
	case l.lowPriority.len() > 0 && (l.ready.len() == 0 || l.pops%lowPriorityShare == 0):
		return l.lowPriority.pop()
	case l.ready.len() > 0:
		return l.ready.pop()
	default:
		return nil
	}
}

// markReady puts t into ready or lowPriority if it may start a probe.
func (t *targetLimiter) markReady() {
	if t.inReady || !t.startable() {
		return
	}
	t.inReady = true
	if t.timedOut || t.lastAnswer.IsZero() {
		t.limiter.lowPriority.push(t)
	} else {
		t.limiter.ready.push(t)
	}
}

func (t *targetLimiter) startable() bool {
	return t.queue.len() > 0 && t.running < min(t.limit, t.allowed())
}

// allowed returns how many probes of the target may be under way now.
func (t *targetLimiter) allowed() int {
	if t.maxConcurrent > 0 {
		return min(t.maxConcurrent, t.fairShare())
	}
	return t.fairShare()
}

// fairShare returns how many of all slots the target may have. A single target may have all
// slots. One of several may have half of them, and only a few while it does not answer.
func (t *targetLimiter) fairShare() int {
	targets := t.limiter.configured
	if targets <= 1 { // 0: a scrape of an older configuration goes on
		return t.limiter.slots
	}
	half := max(1, t.limiter.slots/2)
	if t.answering() {
		return half
	}
	equalShare := max(1, t.limiter.slots/targets)
	return min(half, max(t.limitAtAnswer, min(initialLimit, equalShare)))
}

// answering reports whether the HMP has answered since its first probe under way began.
func (t *targetLimiter) answering() bool { return !t.timedOut && !t.lastAnswer.Before(t.busySince) }

// tick raises the limit if necessary, and refuses the waiters whose time is over.
func (t *targetLimiter) tick() {
	t.limiter.mu.Lock()
	if t.queue.len() > maxQueueTicks*t.answers {
		t.limit = min(2*t.limit, t.limiter.slots)
	}
	t.answers = 0
	t.markReady()
	startGoroutine(t.limiter.dispatch())
	now := time.Now()
	refused := t.queue.remove(func(w *waiter) bool { return !now.Before(w.startBy) })
	if t.queue.len() > 0 {
		t.scheduleTick()
	} else {
		t.tickInterval = 0
	}
	hangs := make([]bool, len(refused))
	for i, w := range refused {
		hangs[i] = t.hangsLocked(w.since)
	}
	t.limiter.mu.Unlock()
	for i, w := range refused {
		w.task.refused(hangs[i])
	}
}

// hangs reports whether a waiter has no slot because the HMP hangs: the slots of the target
// are in use, and the HMP did not answer for most of the time that the waiter waits.
func (t *targetLimiter) hangs(since time.Time) bool {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	return t.hangsLocked(since)
}

func (t *targetLimiter) hangsLocked(since time.Time) bool {
	return t.running >= t.allowed() && t.lastAnswer.Before(since.Add(time.Since(since)/4))
}

// scheduleTick schedules the next tick, or an earlier one when the time of a waiter is over.
func (t *targetLimiter) scheduleTick() {
	next := min(t.tickInterval, time.Until(t.queue.front().startBy))
	time.AfterFunc(max(next, time.Millisecond), t.tick)
}
