package logging

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

const (
	// maxLines is how many lines wait to be written. More are lost.
	maxLines = 1024
	// flushTimeout is how long flush waits for a reader.
	flushTimeout = time.Second
)

// A writer writes in the background, line by line.
type writer struct {
	lines   chan line
	dropped atomic.Int64 // since the last line that found a place
}

// A line is what one call of Write has, or the mark of the end, which is closed when
// all before it has been written.
type line struct {
	text    []byte
	mark    chan struct{}
	dropped int64 // lines before this one
}

// newWriter returns a writer to w, until flush. It calls report with the number of lines
// that were lost, before the next line that it writes.
func newWriter(w io.Writer, report func(dropped int64)) *writer {
	l := &writer{lines: make(chan line, maxLines)}
	go func() {
		for line := range l.lines {
			if line.dropped > 0 {
				report(line.dropped)
			}
			if line.mark != nil {
				close(line.mark)
				return
			}
			_, _ = w.Write(line.text) // there is nobody to tell
			if len(l.lines) == 0 {
				if n := l.dropped.Swap(0); n > 0 {
					report(n)
				}
			}
		}
	}()
	return l
}

// Write implements [io.Writer]. It does not wait.
func (l *writer) Write(p []byte) (int, error) {
	dropped := l.dropped.Swap(0)
	select {
	case l.lines <- line{text: bytes.Clone(p), dropped: dropped}:
	default:
		l.dropped.Add(dropped + 1)
	}
	return len(p), nil
}

// flush ends the writing once all has been written, if somebody reads.
func (l *writer) flush() {
	timeout := time.NewTimer(flushTimeout)
	defer timeout.Stop()
	mark := make(chan struct{})
	select {
	case l.lines <- line{mark: mark, dropped: l.dropped.Swap(0)}:
	case <-timeout.C:
		return
	}
	select {
	case <-mark:
	case <-timeout.C:
	}
}
