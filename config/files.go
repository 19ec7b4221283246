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

// Every caller waits until its own deadline and no longer, even if a disk hangs. What the
// exporter's own side lacks, such as file descriptors, can be told from the error.
const (
	// Bounds on what is read, in bytes: far above any honest file.
	maxConfigFile = 16 << 20
	maxSecretFile = 1 << 20 // certificates too

	// maxReadings and maxReadingsInDirectory bound the files that are read at once. A
	// reading that hangs keeps a thread, and Go ends a program with 10,000 threads.
	maxReadings            = 2000
	maxReadingsInDirectory = 32

	loadTimeout  = time.Minute      // for a configuration with all the files that it names
	checkTimeout = 10 * time.Second // for all secrets at once: a person waits
)

// What can be wrong with a file beside what the operating system says of it.
var (
	// ErrSlowFile means that a file was not read before the deadline: its disk hangs.
	ErrSlowFile error = &hintedError{"could not be read in time", "find out whether its disk hangs"}

	errDirectory  error = &hintedError{"is a directory", "name the file in it"}
	errNotRegular error = &hintedError{"is not a regular file", ""}
	errTooLarge   error = &hintedError{"is too large", ""}
	errUTF16      error = &hintedError{"is UTF-16", "save it as UTF-8"}
)

// fileReader reads files for many callers at once, who share the reading of a file.
type fileReader struct {
	open        func(path string) (*os.File, error)
	readings    singleflight.Group
	running     chan struct{} // one for each reading
	directories sync.Map      // from the name of a directory to its own such channel
}

// files is the one for the whole process, because threads are the process's too.
var files = newFileReader()

func newFileReader() *fileReader {
	open := func(path string) (*os.File, error) {
		// Without O_NONBLOCK, a FIFO that nobody writes to would be opened forever.
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	return &fileReader{open: open, running: make(chan struct{}, maxReadings)}
}

// readFile reads a regular file of at most limit bytes. It returns ErrSlowFile if ctx ends
// first. Its errors do not repeat the path. What it returns is shared.
func readFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := files.readShared(ctx, path, limit)
	recordInput(ctx, input{path, limit}, data, err)
	return data, err
}

// findFiles returns the files that a pattern matches, within the same bounds.
func findFiles(ctx context.Context, pattern string) ([]string, error) {
	found, err := files.glob(ctx, pattern)
	recordInput(ctx, input{pattern, patternInput}, []byte(strings.Join(found, "\n")), err)
	return found, err
}

// share reads a file, or waits for a reading of it that is under way.
func (f *fileReader) readShared(ctx context.Context, path string, size int64) ([]byte, error) {
	return shareCall(ctx, f, strconv.FormatInt(size, 10)+" "+path, filepath.Dir(path), func() ([]byte, error) {
		data, err := f.read(path, size)
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err // every message here names the file already
		}
		return data, err
	})
}

// reading calls read, which can hang on a directory, or waits for such a call that is under
// way. What it returns is shared.
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

// isUTF16 goes by a byte order mark, or by the zero that is half of the first letter.
func isUTF16(data []byte) bool {
	if len(data) < 2 {
		return false
	}
	a, b := data[0], data[1]
	return a == 0xff && b == 0xfe || a == 0xfe && b == 0xff || (a == 0) != (b == 0)
}

// hinted is what can be wrong with a file or a secret, and what to do about it.
type hintedError struct{ problem, hint string }

func (h *hintedError) Error() string { return h.problem }

// hintOf says what a person can do about an error of readFile or checkSecret.
func hintFor(err error) string {
	h, isHinted := errors.AsType[*hintedError](err)
	switch {
	case isHinted:
		return h.hint
	case errors.Is(err, fs.ErrNotExist):
		return "a relative path is relative to the file it stands in"
	case errors.Is(err, fs.ErrPermission):
		return "the user that runs hmp_exporter must be able to read it"
	default:
		return ""
	}
}
