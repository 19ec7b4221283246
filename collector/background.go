package collector

import "time"

// A backgroundTask is a request to an HMP that is not a probe. It gets a slot only while no
// probe waits for one.
type backgroundTask interface {
	// startBy returns the latest time at which the task may start.
	startBy() time.Time
	// run is called in a goroutine of its own when there is a slot. The slot is free again
	// when run returns.
	run()
	// refused is called instead if there was no slot in time.
	refused()
	// cancel makes run return soon, because a probe waits for the slot. It must not block.
	cancel()
}

// A background holds the background tasks of a limiter.
type background struct {
	queue   fifo[backgroundTask]
	running map[backgroundTask]struct{}
	idle    chan struct{} // closed once there is no task; nil if there is none
	closed  bool
}

// runInBackground queues a task.
func (l *limiter) runInBackground(t backgroundTask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.background.closed {
		t.refused()
		return
	}
	if l.background.idle == nil {
		l.background.idle = make(chan struct{})
	}
	l.background.queue.push(t)
	l.dispatch(waiter.granted)
}

// backgroundIdle returns a channel that is closed once there is no background task.
func (l *limiter) backgroundIdle() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.background.idle != nil {
		return l.background.idle
	}
	idle := make(chan struct{})
	close(idle)
	return idle
}

// closeBackground cancels all background tasks and waits for them. It refuses later ones.
func (l *limiter) closeBackground() {
	l.mu.Lock()
	l.background.closed = true
	l.cancelBackground()
	l.dispatchBackground()
	l.mu.Unlock()
	<-l.backgroundIdle()
}

// dispatchBackground grants slots to background tasks. No probe may wait for a slot.
func (l *limiter) dispatchBackground() {
	b := &l.background
	now := time.Now()
	for b.queue.len() > 0 && (l.running < l.max || b.closed) {
		t := b.queue.pop()
		if b.closed || !now.Before(t.startBy()) {
			t.refused()
			continue
		}
		if b.running == nil {
			b.running = make(map[backgroundTask]struct{})
		}
		b.running[t] = struct{}{}
		l.running++
		go l.runTask(t)
	}
	if b.idle != nil && b.queue.len() == 0 && len(b.running) == 0 {
		close(b.idle)
		b.idle = nil
	}
}

func (l *limiter) runTask(t backgroundTask) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.background.running, t)
		l.running--
		l.dispatch(waiter.granted)
	}()
	t.run()
}

func (l *limiter) cancelBackground() {
	for t := range l.background.running {
		t.cancel()
	}
}
