package logging

import (
	"bytes"
	"io"
	"time"
)

const (
	// maxLines is how many lines wait to be written. More are lost.
	maxLines = 1024
	// flushPatience is how long flush waits for a reader.
	flushPatience = time.Second
)

// A writer writes in the background, line by line.
type writer struct{ lines chan line }

// A line is what one call of Write has, or the mark of the end, which is closed when
// all before it has been written.
type line struct {
	text []byte
	mark chan struct{}
}

// newWriter returns a writer to w, until flush.
func newWriter(w io.Writer) *writer {
	l := &writer{make(chan line, maxLines)}
	go func() {
		for line := range l.lines {
			if line.mark != nil {
				close(line.mark)
				return
			}
			_, _ = w.Write(line.text) // there is nobody to tell
		}
	}()
	return l
}

// Write implements [io.Writer]. It does not wait.
func (l *writer) Write(p []byte) (int, error) {
	select {
	case l.lines <- line{text: bytes.Clone(p)}:
	default:
	}
	return len(p), nil
}

// flush ends the writing once all has been written, if somebody reads.
func (l *writer) flush() {
	patience := time.NewTimer(flushPatience)
	defer patience.Stop()
	mark := make(chan struct{})
	select {
	case l.lines <- line{mark: mark}:
	case <-patience.C:
		return
	}
	select {
	case <-mark:
	case <-patience.C:
	}
}
