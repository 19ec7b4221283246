package config

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"
)

// Rule: every caller waits until its own deadline and no longer, even if a disk hangs.

const (
	// Bounds of a file in bytes, far above any real file.
	maxConfigFile = 16 << 20
	maxSecretFile = 1 << 20 // certificates too

	// maxReadings and maxReadingsInDirectory bound the files that are read at once. A read
	// that hangs holds a thread, and Go ends a program with 10,000 threads.
	maxReadings            = 2000
	maxReadingsInDirectory = 32

	loadTimeout  = time.Minute      // for a configuration with all its files
	checkTimeout = 10 * time.Second // for all secrets at once: a person waits
)

// Problems of a file that the operating system does not report.
var (
	// ErrSlowFile means that reading a file took too long, for example because its disk hangs.
	ErrSlowFile error = &hintedError{"could not be read in time", "find out whether its disk hangs"}

	errDirectory  error = &hintedError{"is a directory", "name the file in it"}
	errNotRegular error = &hintedError{"is not a regular file", ""}
	errTooLarge   error = &hintedError{"is too large", ""}
	errUTF16      error = &hintedError{"is UTF-16", "save it as UTF-8"}
)

// fileReader reads files for many callers at once. Callers that want the same file share one
// read.
type fileReader struct {
	open        func(path string) (*os.File, error)
	readings    singleflight.Group
	running     chan struct{} // a semaphore
	directories sync.Map      // a semaphore by the name of a directory
}

// files reads all files of the process, because all reads share the process's threads.
var files = newFileReader()

func newFileReader() *fileReader {
	open := func(path string) (*os.File, error) {
		// Without O_NONBLOCK, opening a FIFO without a writer would block forever.
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	return &fileReader{open: open, running: make(chan struct{}, maxReadings)}
}

// readFile reads a regular file of at most limit bytes. It returns ErrSlowFile if ctx ends
// first. Its errors do not have the path. Do not change the bytes.
func readFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := files.readShared(ctx, path, limit)
	recordInput(ctx, input{path, limit}, data, err)
	return data, err
}

// findFiles returns the files that a pattern matches. It has the same bounds as readFile.
func findFiles(ctx context.Context, pattern string) ([]string, error) {
	found, err := files.glob(ctx, pattern)
	recordInput(ctx, input{pattern, patternInput}, []byte(strings.Join(found, "\n")), err)
	return found, err
}

// readShared reads a file, or waits for a read of it that is under way.
func (f *fileReader) readShared(ctx context.Context, path string, size int64) ([]byte, error) {
	return shareCall(ctx, f, strconv.FormatInt(size, 10)+" "+path, filepath.Dir(path), func() ([]byte, error) {
		data, err := f.read(path, size)
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err // callers add the path
		}
		return data, err
	})
}

// shareCall calls read, which can hang, or waits for a call with the same key that is under
// way. Do not change the returned value.
func shareCall[T any](ctx context.Context, f *fileReader, key, dir string, read func() (T, error)) (value T, err error) {
	result := f.readings.DoChan(key, func() (any, error) {
		limit, _ := f.directories.LoadOrStore(dir, make(chan struct{}, maxReadingsInDirectory))
		directory := limit.(chan struct{})
		directory <- struct{}{}
		defer func() { <-directory }()
		f.running <- struct{}{}
		defer func() { <-f.running }()
		return read()
	})
	select {
	case r := <-result:
		value, _ = r.Val.(T)
		return value, r.Err
	case <-ctx.Done():
		return value, ErrSlowFile
	}
}

// read reads a file, in a goroutine that may hang.
func (f *fileReader) read(path string, limit int64) ([]byte, error) {
	opened, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	switch info, err := opened.Stat(); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	// The size in info is no bound: the file can grow while it is read.
	data, err := io.ReadAll(io.LimitReader(opened, limit+1))
	switch {
	case int64(len(data)) > limit:
		return nil, errTooLarge
	case isUTF16(data):
		return nil, errUTF16
	}
	return data, err
}

// isUTF16 detects UTF-16 by its byte order mark, or by a zero in the first character.
func isUTF16(data []byte) bool {
	if len(data) < 2 {
		return false
	}
	a, b := data[0], data[1]
	return a == 0xff && b == 0xfe || a == 0xfe && b == 0xff || (a == 0) != (b == 0)
}

// hintedError is a problem of a file or a secret, and what to do about it.
type hintedError struct{ problem, hint string }

func (h *hintedError) Error() string { return h.problem }

// hintFor says what to do about an error of readFile or checkSecret.
func hintFor(err error) string {
	h, isHinted := errors.AsType[*hintedError](err)
	switch {
	case isHinted:
		return h.hint
	case errors.Is(err, fs.ErrNotExist):
		return "a relative path starts at the directory of the file that names it"
	case errors.Is(err, fs.ErrPermission):
		return "the user that runs hmp_exporter must be able to read it"
	default:
		return ""
	}
}
