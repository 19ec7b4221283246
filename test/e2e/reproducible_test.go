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

// TestReproducible has `make build` make the program twice, from the same commit in different places and on different
// branches, and expects the same bytes. Both have what was compiled on this machine before: TestContainer compares the
// program with one that was compiled anew.
func TestReproducible(t *testing.T) {
	t.Parallel()
	compiled := buildCopy(t, filepath.Join(t.TempDir(), "here"), "main")
	again := buildCopy(t, filepath.Join(t.TempDir(), "and", "somewhere else"), "topic", "BRANCH=topic")
	if !bytes.Equal(read(t, compiled), read(t, again)) {
		t.Errorf("two builds of the same source differ: %d and %d bytes", len(read(t, compiled)), len(read(t, again)))
	}

	t.Run("settings", func(t *testing.T) {
		output, err := command(t, "go", "version", "-m", again).CombinedOutput()
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

// buildCopy copies the source into a new directory, commits it to a branch there, builds it as a user does, and returns the
// program.
func buildCopy(t *testing.T, dir, branch string, environment ...string) string {
	t.Helper()
	list := command(t, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	files, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(files), "\x00"), "\x00") {
		from, file := filepath.Join("../..", name), filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, err := os.Readlink(from); err == nil {
			if err := os.Symlink(target, file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was deleted, which git has not been told yet
		}
		if err := errors.Join(err, os.WriteFile(file, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, dir, branch)
	build := command(t, "make", "-C", dir, "build")
	build.Env = append(os.Environ(), environment...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, output)
	}
	return filepath.Join(dir, "hmp_exporter")
}

// commit makes a repository of a directory. The same files make the same commit, whatever the branch.
func commit(t *testing.T, dir, branch string) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=" + branch},
		{"add", "--all"},
		{"commit", "--quiet", "--message=A commit"},
	} {
		git := command(t, "git", args...)
		git.Dir = dir
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
		if output, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, output)
		}
	}
}
