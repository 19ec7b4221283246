package config

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// glob returns the files that a pattern matches, sorted. There are two differences from
// [filepath.Glob]. A directory that cannot be read is an error. A name that begins with a
// dot matches only a part of the pattern that also begins with a dot. Such files belong to
// editors, archives and Kubernetes ("..data").
func (f *fileReader) glob(ctx context.Context, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	base, parts := ".", strings.Split(filepath.ToSlash(filepath.Clean(pattern)), "/")
	if filepath.IsAbs(pattern) {
		base, parts = "/", parts[1:]
	}
	for len(parts) > 1 && !isPattern(parts[0]) {
		base, parts = filepath.Join(base, parts[0]), parts[1:]
	}
	return shareCall(ctx, f, "glob "+pattern, base, func() ([]string, error) {
		found, err := []string{base}, error(nil)
		for i, part := range parts {
			if found, err = f.matches(found, part, i == len(parts)-1); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

func isPattern(part string) bool { return strings.ContainsAny(part, `*?[\`) }

// matches returns the paths in directories that match one part of a pattern.
func (f *fileReader) matches(dirs []string, part string, last bool) (found []string, err error) {
	for _, dir := range dirs {
		names := []string{part}
		switch {
		case isPattern(part):
			names, err = f.names(dir)
		case last:
			_, err = os.Lstat(filepath.Join(dir, part))
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(strings.TrimPrefix(part, `\`), ".")
			if ok, _ := filepath.Match(part, name); ok && !hidden || !isPattern(part) {
				found = append(found, filepath.Join(dir, name))
			}
		}
	}
	return found, nil
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
