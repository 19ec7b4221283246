package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReproducible has `make build` make the program twice, from copies of the source in different places, and expects
// the same bytes. One build compiles everything anew; the other one has what was compiled on this machine before. So they
// share nothing, at half the price of two empty caches.
func TestReproducible(t *testing.T) {
	compiled := buildCopy(t, filepath.Join(t.TempDir(), "here"), "GOCACHE="+t.TempDir())
	again := buildCopy(t, filepath.Join(t.TempDir(), "and", "somewhere else"))
	if !bytes.Equal(read(t, compiled), read(t, again)) {
		t.Errorf("two builds of the same source differ: %d and %d bytes", len(read(t, compiled)), len(read(t, again)))
	}

	t.Run("settings", func(t *testing.T) {
		// That of the work tree: a copy has no state of version control to tell.
		output, err := command(t, "go", "version", "-m", exporterBinary).CombinedOutput()
		if err != nil {
			t.Fatalf("go version -m: %v\n%s", err, output)
		}
		var settings []string
		for line := range strings.Lines(string(output)) {
			if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "build\t"); ok {
				settings = append(settings, setting)
			}
			if strings.Contains(line, "vcs.") {
				t.Errorf("the state of a work tree is in the program: %s", line)
			}
		}
		for _, want := range []string{"-trimpath=true", "CGO_ENABLED=0"} {
			if !slices.Contains(settings, want) {
				t.Errorf("the program was not built with %s, but with %q", want, settings)
			}
		}
	})
	t.Run("paths", func(t *testing.T) {
		paths := []string{filepath.Dir(compiled), filepath.Dir(again)}
		for _, variable := range []string{"GOROOT", "GOPATH", "GOMODCACHE", "GOCACHE"} {
			output, err := command(t, "go", "env", variable).Output()
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, strings.TrimSpace(string(output)))
		}
		if home, err := os.UserHomeDir(); err == nil && home != "/" {
			paths = append(paths, home+"/")
		}
		program := read(t, compiled)
		for _, path := range paths {
			if bytes.Contains(program, []byte(path)) {
				t.Errorf("the program tells where it was built: it contains %s", path)
			}
		}
	})
}

// buildCopy copies the source into a new directory, builds there as a user does, and returns the program.
func buildCopy(t *testing.T, dir string, environment ...string) string {
	t.Helper()
	list := command(t, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	files, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(files), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was deleted, which git has not been told yet
		}
		file := filepath.Join(dir, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	build := command(t, "make", "-C", dir, "build")
	build.Env = append(os.Environ(), environment...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, output)
	}
	return filepath.Join(dir, "hmp_exporter")
}
