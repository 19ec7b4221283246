package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
)

const targetFile = "[{name: b, url: https://b, sessions: [{name: b, token_file: token}]}]\n"

// newSource returns the source of a configuration with a target file and a CA file, and the
// directory that they are in.
func newSource(t *testing.T) (s *Source, dir string) {
	t.Helper()
	dir = t.TempDir()
	certificate, _ := keyPair(t)
	exportertest.WriteFile(t, filepath.Join(dir, "ca.pem"), certificate)
	exportertest.WriteFile(t, filepath.Join(dir, "token"), "CANARY-token\n")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, tls_config: {ca_file: ca.pem}, sessions: [{name: a, token_file: token}]}]\n"+
		"target_files: [b.yml, 'targets.d/*.yml']\n")
	exportertest.WriteFile(t, filepath.Join(dir, "b.yml"), targetFile)
	return &Source{File: filepath.Join(dir, "hmp.yml")}, dir
}

// TestSourceChanged changes one file after the other, and loads after each.
func TestSourceChanged(t *testing.T) {
	s, dir := newSource(t)
	if s.Changed(t.Context()) {
		t.Error("changed before the first load")
	}
	other, _ := keyPair(t)
	if _, err := s.Load(); err != nil {
		t.Fatal(err)
	}
	const gone = ""
	c := "[{name: c, url: https://c, sessions: [{name: c, token_file: t}]}]"
	for _, step := range []struct {
		name, file, text string
		changed, good    bool // the configuration that is loaded afterwards
	}{
		{"other time", "b.yml", targetFile, false, true},
		{"secret", "token", "CANARY-other", false, true},
		{"CA", "ca.pem", other, true, true},
		{"no CA", "ca.pem", gone, true, false},
		{"CA again", "ca.pem", other, true, true},
		{"target file", "b.yml", "[]", true, true},
		{"match of a pattern", "targets.d/c.yml", c, true, true},
		{"what it does not match", "targets.d/c.yml~", c, false, true},
		{"no match", "targets.d/c.yml", gone, true, true},
		{"broken", "hmp.yml", "targets: CANARY", true, false},
		{"broken in another way", "hmp.yml", "targets: {", true, false},
		{"no file", "hmp.yml", gone, true, false},
	} {
		file := filepath.Join(dir, step.file)
		if step.text == gone {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		} else {
			exportertest.WriteFile(t, file, step.text)
		}
		if got := s.Changed(t.Context()); got != step.changed {
			t.Errorf("%s: changed %v, want %v", step.name, got, step.changed)
		}
		if _, err := s.Load(); (err == nil) != step.good {
			t.Errorf("%s: error %v", step.name, err)
		}
		if s.Changed(t.Context()) {
			t.Errorf("%s: changed again after a load", step.name)
		}
	}
}

// Changed ends in time. A file that hangs does not hide a change of another.
func TestSourceOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		s, dir := newSource(t)
		changed := func(want bool, after time.Duration) {
			t.Helper()
			start := time.Now()
			if got := s.Changed(t.Context()); got != want || time.Since(start) != after {
				t.Errorf("changed: %v after %v, want %v after %v", got, time.Since(start), want, after)
			}
			synctest.Wait()
		}
		hung := d.dir
		d.dir = "none"
		if _, err := s.Load(); err != nil {
			t.Fatal(err)
		}
		d.dir = filepath.Join(dir, "ca.pem")
		changed(false, checkTimeout)
		d.dir = hung
		exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, tls_config: {ca_file: "+filepath.Join(hung, "ca.pem")+"}, sessions: [{name: a, token_file: t}]}]")
		start := time.Now()
		if _, err := s.Load(); err == nil || time.Since(start) != loadTimeout {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
		changed(false, checkTimeout)
		exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), "targets: []")
		changed(true, 0)
	})
}

// Load and Check end in time.
func TestLoadOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		main := filepath.Join(t.TempDir(), "hmp.yml")
		checked, err := environment(map[string]string{"HMP_URL": "https://h", "HMP_API_KEY_FILE": filepath.Join(d.dir, "key"), "HMP_API_SECRET_FILE": main}).Check()
		if err != nil {
			t.Fatal(err)
		}
		if text := checked.SecretErrors.Error(); !strings.Contains(text, errSlowFile.Error()) || !strings.Contains(text, "no such file") || checked.Warnings != nil {
			t.Errorf("Check = %s, %v", text, checked.Warnings)
		}
		exportertest.WriteFile(t, main, "target_files: ["+filepath.Join(d.dir, "*.yml")+"]")
		for _, file := range []string{main, filepath.Join(d.dir, "hmp.yml")} {
			start := time.Now()
			if _, err := loadFile(file); !strings.HasSuffix(errorText(err), "yml: could not be read in time; find out whether its disk hangs") || time.Since(start) != loadTimeout {
				t.Errorf("Load = %v after %v", err, time.Since(start))
			}
		}
	})
}

// If a directory becomes unreadable, its targets stay.
func TestUnreadableDirectory(t *testing.T) {
	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "d", "b.yml"), targetFile)
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), "target_files: ['d/*.yml']")
	source := &Source{File: filepath.Join(dir, "hmp.yml")}
	store := NewStore(source.Load, func(*Config) {})
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	replaceFiles(t)
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
	want := source.File + ":1: target_files[0]: " + dir + "/d/*.yml: open d: permission denied; the user that runs hmp_exporter must be able to read it"
	if diff := cmp.Diff(want, errorText(store.Reload())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(store.Config().Targets); n != 1 {
		t.Errorf("%d targets are left, want 1", n)
	}
	if source.Changed(t.Context()) {
		t.Error("the same error is a change")
	}
}
