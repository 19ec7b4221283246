package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Bounds on what is read, in bytes. They are far above any honest file and far
// below what would hurt.
const (
	maxConfigFile = 16 << 20
	maxSecretFile = 64 << 10
	maxPEMFile    = 1 << 20
)

// What can be wrong with a file beside what the operating system says of it.
var (
	errDirectory  = errors.New("is a directory")
	errNotRegular = errors.New("is not a regular file")
	errTooLarge   = errors.New("is too large")
)

// readFile reads a regular file of at most limit bytes, through symbolic links.
// Its errors do not repeat the path.
func readFile(path string, limit int64) ([]byte, error) {
	// Without O_NONBLOCK, opening a FIFO that nobody writes to would wait forever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()

	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}

	// The size in info is no bound: the file can grow while it is read.
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case int64(len(data)) > limit:
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
	default:
		return ""
	}
}
