package config

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"
)

// Every caller waits until its own deadline and no longer, even if a disk hangs. Only a
// bounded number of threads waits for the disk. What the exporter's own side lacks, such
// as file descriptors, can be told from the error.

// Bounds on what is read, in bytes. They are far above any honest file and far below
// what would do harm.
const (
	maxConfigFile = 16 << 20
	maxSecretFile = 64 << 10
	maxPEMFile    = 1 << 20
)

const (
	// maxReadings and maxReadingsInDirectory bound the files that are read at once. A
	// reading that hangs keeps a thread, and Go ends a program with 10,000 threads.
	maxReadings            = 2000
	maxReadingsInDirectory = 32

	// loadTimeout bounds the reading of a configuration with all the files that it names.
	loadTimeout = time.Minute
	// checkTimeout bounds the reading of all secrets at once, for a person who waits.
	checkTimeout = 10 * time.Second
)

// What can be wrong with a file beside what the operating system says of it.
var (
	// ErrSlowFile means that a file was not read before the deadline: its disk hangs.
	ErrSlowFile = errors.New("could not be read in time")

	errDirectory  = errors.New("is a directory")
	errNotRegular = errors.New("is not a regular file")
	errTooLarge   = errors.New("is too large")
)

// fileReader reads files for many callers at once. One file has at most one reading
// under way, which all who ask for the file meanwhile share.
type fileReader struct {
	open func(path string) (*os.File, error)
	free *semaphore.Weighted

	mu          sync.Mutex
	readings    map[wanted]*reading   // under way
	directories map[string]*directory // with a reading under way or a caller that waits
}

// wanted is a file, and how many bytes of it are read at most.
type wanted struct {
	path  string
	limit int64
}

type reading struct {
	done chan struct{} // closed when data and err are set
	data []byte
	err  error
}

type directory struct {
	free  *semaphore.Weighted
	users int // readings, and callers that wait for one to end
}

// files is the one for the whole process, because threads are the process's too.
var files = newFileReader()

func newFileReader() *fileReader {
	return &fileReader{
		open:        openFile,
		free:        semaphore.NewWeighted(maxReadings),
		readings:    make(map[wanted]*reading),
		directories: make(map[string]*directory),
	}
}

// openFile opens a file for reading. Without O_NONBLOCK, opening a FIFO that nobody
// writes to would wait forever.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// readFile reads a regular file of at most limit bytes, through symbolic links. It
// returns ErrSlowFile if ctx ends first. Its errors do not repeat the path, and what it
// returns is shared.
func readFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := files.read(ctx, wanted{path, limit})
	noteFile(ctx, path, limit, data, err)
	return data, err
}

func (f *fileReader) read(ctx context.Context, file wanted) ([]byte, error) {
	r, err := f.join(ctx, file)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, ErrSlowFile
	}
}

// join returns the reading of a file that is under way, or begins one.
func (f *fileReader) join(ctx context.Context, file wanted) (*reading, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.readings[file]; ok {
		return r, nil
	}
	name := filepath.Dir(file.path)
	dir, ok := f.directories[name]
	if !ok {
		dir = &directory{free: semaphore.NewWeighted(maxReadingsInDirectory)}
		f.directories[name] = dir
	}
	dir.users++
	leave := func() {
		if dir.users--; dir.users == 0 {
			delete(f.directories, name)
		}
	}
	if f.acquire(ctx, dir) != nil {
		leave()
		return nil, ErrSlowFile
	}
	if r, ok := f.readings[file]; ok { // somebody else began it meanwhile
		f.release(dir)
		leave()
		return r, nil
	}
	r := &reading{done: make(chan struct{})}
	f.readings[file] = r
	go func() {
		r.data, r.err = f.readRegular(file)
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.readings, file)
		f.release(dir)
		leave()
		close(r.done)
	}()
	return r, nil
}

// acquire waits for a free reading, first of the directory and then of all. It gives
// f.mu away meanwhile.
func (f *fileReader) acquire(ctx context.Context, dir *directory) error {
	f.mu.Unlock()
	defer f.mu.Lock()
	if err := dir.free.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := f.free.Acquire(ctx, 1); err != nil {
		dir.free.Release(1)
		return err
	}
	return nil
}

func (f *fileReader) release(dir *directory) {
	dir.free.Release(1)
	f.free.Release(1)
}

// readRegular reads a file, in a goroutine that may hang.
func (f *fileReader) readRegular(file wanted) ([]byte, error) {
	opened, err := f.open(file.path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer opened.Close()

	info, err := opened.Stat()
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	// The size in info is no bound: the file can grow while it is read.
	data, err := io.ReadAll(io.LimitReader(opened, file.limit+1))
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case int64(len(data)) > file.limit:
		return nil, errTooLarge
	}
	return data, nil
}

// withoutPath takes the path out of an error, because every message here names
// the file already.
func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// fileHint says what a person can do about an error of readFile.
func fileHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "a relative path is relative to the file it stands in"
	case errors.Is(err, fs.ErrPermission):
		return "the user that runs hmp_exporter must be able to read it"
	case errors.Is(err, errDirectory):
		return "name the file in it"
	case errors.Is(err, ErrSlowFile):
		return "find out whether its disk hangs"
	default:
		return ""
	}
}
