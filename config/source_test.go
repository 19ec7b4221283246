package config

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

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
