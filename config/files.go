package config

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/singleflight"
)

const (
	// Bounds of a file in bytes, far above any real file.
	maxConfigFile = 16 << 20
	maxSecretFile = 1 << 20 // certificates too

	// maxReads and maxReadsInDirectory bound the files that are read at once. A read
	// that hangs holds a thread, and Go ends a program with 10,000 threads.
	maxReads            = 2000
	maxReadsInDirectory = 32
)

// Problems of a file that the operating system does not report.
var (
	errSlowFile   error = &hintedError{"could not be read in time", "find out whether its disk hangs"}
	errDirectory  error = &hintedError{"is a directory", "name the file in it"}
	errNotRegular error = &hintedError{"is not a regular file", ""}
	errTooLarge   error = &hintedError{"is too large", ""}
)

// fileReader reads files for many callers at once. Callers that want the same file share one
// read. Each caller waits until its own deadline and no longer, even if a disk hangs.
type fileReader struct {
	open        func(path string) (*os.File, error)
	calls       singleflight.Group
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
	return &fileReader{open: open, running: make(chan struct{}, maxReads)}
}

// readFile reads a regular file of at most limit bytes. It returns errSlowFile if ctx ends
// first. Its errors do not have the path. Do not change the bytes.
func (f *fileReader) readFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := share(ctx, f, strconv.FormatInt(limit, 10)+" "+path, filepath.Dir(path), func() ([]byte, error) { return f.read(path, limit) })
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err // callers add the path
	}
	return data, err
}

// findFiles returns the files that a pattern matches, with the bounds of readFile. There are
// two differences from [filepath.Glob]. A directory that cannot be read is an error. A name
// that begins with a dot matches only a part of the pattern that also begins with a dot. Such
// files belong to editors, archives and Kubernetes ("..data").
func (f *fileReader) findFiles(ctx context.Context, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	return share(ctx, f, "pattern "+pattern, filepath.Dir(pattern), func() ([]string, error) { return f.find(pattern) })
}

// share calls read, which can hang, once for all callers with the same key. Each caller gets the
// result of a read that started after its own call. Do not change the value.
func share[T any](ctx context.Context, f *fileReader, key, dir string, read func() (T, error)) (value T, err error) {
	for waited := false; ; waited = true {
		started := false
		result := f.calls.DoChan(key, func() (any, error) {
			started = true
			limit, _ := f.directories.LoadOrStore(dir, make(chan struct{}, maxReadsInDirectory))
			directory := limit.(chan struct{})
			directory <- struct{}{}
			defer func() { <-directory }()
			f.running <- struct{}{}
			defer func() { <-f.running }()
			return read()
		})
		select {
		case r := <-result:
			if started || waited { // otherwise the read started before this call
				value, _ = r.Val.(T)
				return value, r.Err
			}
		case <-ctx.Done():
			return value, errSlowFile
		}
	}
}

// read is readFile without the bounds of time and threads.
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

// patternCharacters make a path a pattern. On Windows, a backslash only separates directories.
var patternCharacters = strings.TrimSuffix(`*?[\`, string(filepath.Separator))

// find is findFiles without the bounds.
func (f *fileReader) find(pattern string) (found []string, err error) {
	withoutVolume := strings.TrimPrefix(pattern, filepath.VolumeName(pattern)) // \\?\C: has a question mark
	if !strings.ContainsAny(withoutVolume, patternCharacters) {
		opened, err := f.open(pattern)
		if err == nil {
			err = opened.Close()
		}
		if isMissing(err) {
			return nil, nil
		}
		return []string{pattern}, nil
	}
	dir, last := filepath.Split(pattern)
	dirs, err := f.find(filepath.Clean(dir))
	for _, dir := range dirs {
		names, errRead := f.names(dir)
		if errRead != nil && !isMissing(errRead) {
			return nil, errRead
		}
		for _, name := range names {
			isHidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(strings.TrimPrefix(last, `\`), ".")
			if isMatch, _ := filepath.Match(last, name); isMatch && !isHidden {
				found = append(found, filepath.Join(dir, name))
			}
		}
	}
	return found, err
}

// isMissing reports whether there is no file, or no directory with it.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// names returns the names in a directory, sorted.
func (f *fileReader) names(dir string) ([]string, error) {
	opened, err := f.open(dir)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
