package collector

import "time"

// A backgroundTask is something else than a probe that speaks to an HMP. It has a place only
// while no probe waits for one.
type backgroundTask interface {
	// latest is until when a place is of use.
	startBy() time.Time
	// run is called in a goroutine of its own once there is a place. The place is free again
	// when it returns.
	run()
	// refused is called instead if there was no place in time.
	refused()
	// cancel ends run soon, because a probe waits for the place. It must not block.
	cancel()
}

// A background is the part of a limiter that is about background tasks.
type background struct {
	queue   fifo[backgroundTask]
	running map[backgroundTask]struct{}
	idle    chan struct{} // closed once there is no task; nil if there is none
	closed  bool
}

// runInBackground has a task wait for a place.
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

// backgroundIdle returns a channel that is closed when there is no background task.
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

// closeBackground ends all background tasks and waits for that. No more will begin.
func (l *limiter) closeBackground() {
	l.mu.Lock()
	l.background.closed = true
	l.cancelBackground()
	l.dispatchBackground()
	l.mu.Unlock()
	<-l.backgroundIdle()
}

// dispatchBackground grants the places that no probe waits for.
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
