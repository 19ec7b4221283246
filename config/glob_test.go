package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newTargetFiles makes files that hold no target, and a main file with one and a pattern.
func newTargetFiles(t *testing.T, pattern string, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, sessions: [{name: a, token: CANARY}]}]\ntarget_files: ['"+pattern+"']\n")
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), "[]")
	}
	return dir
}

func TestGlob(t *testing.T) {
	names := []string{"d/.#a.yml", "d/._a.yml", "d/a.yml", "d/b.yml", "d/b.yml~", "d/..data/a.yml", "e/a.yml", "f.yml"}
	for pattern, want := range map[string]string{
		"d/*.yml":       "d/a.yml d/b.yml",
		"d/?#a.yml":     "",
		"d/[!x]_a.yml":  "",
		"d/.*.yml":      "d/.#a.yml d/._a.yml",
		`d/\.*.yml`:     "d/.#a.yml d/._a.yml",
		"d/.#a.yml":     "d/.#a.yml",
		"*/a.yml":       "d/a.yml e/a.yml",
		"d/*/a.yml":     "",
		"d/..*/*.yml":   "d/..data/a.yml",
		"../*/d/b*.yml": "d/b.yml",
		"nowhere/*.yml": "",
		"f.yml/*.yml":   "",
		"nowhere.yml":   "",
	} {
		t.Run(pattern, func(t *testing.T) {
			dir := newTargetFiles(t, pattern, names...)
			found, err := files.glob(t.Context(), filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(strings.Join(found, " "), dir+"/", "")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A directory that becomes unreadable takes no target away.
func TestUnreadableDirectory(t *testing.T) {
	dir := newTargetFiles(t, "d/*.yml", "d/b.yml")
	write(t, filepath.Join(dir, "d/b.yml"), targetFile)
	source := &Source{File: filepath.Join(dir, "hmp.yml"), Getenv: func(string) string { return "" }}
	store := NewStore(source.Load, func(*Config) {})
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	before := files
	defer func() { files = before }()
	files = newFileReader()
	open := files.open
	files.open = func(path string) (*os.File, error) {
		if path == filepath.Join(dir, "d") {
			return nil, &fs.PathError{Op: "open", Path: "d", Err: syscall.EACCES}
		}
		return open(path)
	}
	if !source.Changed(t.Context()) {
		t.Error("no change is seen")
	}
	want := source.File + ":2: target_files[0]: " + dir + "/d/*.yml: open d: permission denied; the user that runs hmp_exporter must be able to read it"
	if diff := cmp.Diff(want, errorText(store.Reload())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(store.Config().Targets); n != 2 {
		t.Errorf("%d targets are left, want 2", n)
	}
	if source.Changed(t.Context()) {
		t.Error("the same error is a change")
	}
}

func TestGlobOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		dir := newTargetFiles(t, d.dir+"/*.yml")
		start := time.Now()
		_, err := Load(filepath.Join(dir, "hmp.yml"))
		if !strings.HasSuffix(errorText(err), "*.yml: "+ErrSlowFile.Error()+"; find out whether its disk hangs") || time.Since(start) != loadTimeout {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
}
