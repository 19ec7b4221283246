package config

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
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
	ErrSlowFile error = &hinted{"could not be read in time", "find out whether its disk hangs"}

	errDirectory  error = &hinted{"is a directory", "name the file in it"}
	errNotRegular error = &hinted{"is not a regular file", ""}
	errTooLarge   error = &hinted{"is too large", ""}
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
	data, err := files.share(ctx, path, limit)
	noteFile(ctx, path, limit, data, err)
	return data, err
}

// share reads a file, or waits for a reading of it that is under way.
func (f *fileReader) share(ctx context.Context, path string, size int64) ([]byte, error) {
	reading := f.readings.DoChan(strconv.FormatInt(size, 10)+" "+path, func() (any, error) {
		limit, _ := f.directories.LoadOrStore(filepath.Dir(path), make(chan struct{}, maxReadingsInDirectory))
		directory := limit.(chan struct{})
		directory <- struct{}{}
		defer func() { <-directory }()
		f.running <- struct{}{}
		defer func() { <-f.running }()
		data, err := f.read(path, size)
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err // every message here names the file already
		}
		return data, err
	})
	select {
	case r := <-reading:
		data, _ := r.Val.([]byte)
		return data, r.Err
	case <-ctx.Done():
		return nil, ErrSlowFile
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
	if int64(len(data)) > limit {
		return nil, errTooLarge
	}
	return data, err
}

// hinted is what can be wrong with a file or a secret, and what to do about it.
type hinted struct{ problem, hint string }

func (h *hinted) Error() string { return h.problem }

// hintOf says what a person can do about an error of readFile or checkSecret.
func hintOf(err error) string {
	h, isHinted := errors.AsType[*hinted](err)
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
