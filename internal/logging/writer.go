package logging

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

const (
	// maxLines is the maximum number of lines that wait to be written. More lines are lost.
	maxLines = 1024
	// flushTimeout is how long flush waits for somebody to read the log.
	flushTimeout = time.Second
)

// A writer writes lines in the background.
type writer struct {
	lines   chan line
	dropped atomic.Int64 // lines that were lost since the last line in the channel
}

// A line is the text of one call of Write. The last line has no text, but a channel: the
// writer closes it when all lines have been written.
type line struct {
	text    []byte
	written chan struct{}
	dropped int64 // lines that were lost before this one
}

// newWriter returns a writer that writes to w until flush. Where lines were lost, it calls
// report with their number.
func newWriter(w io.Writer, report func(dropped int64)) *writer {
	l := &writer{lines: make(chan line, maxLines)}
	go func() {
		for line := range l.lines {
			if line.dropped > 0 {
				report(line.dropped)
			}
			if line.written != nil {
				close(line.written)
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

// flush waits until all lines have been written, but at most for flushTimeout, and ends the
// writer.
func (l *writer) flush() {
	timeout := time.NewTimer(flushTimeout)
	defer timeout.Stop()
	written := make(chan struct{})
	select {
	case l.lines <- line{written: written, dropped: l.dropped.Swap(0)}:
	case <-timeout.C:
		return
	}
	select {
	case <-written:
	case <-timeout.C:
	}
}
