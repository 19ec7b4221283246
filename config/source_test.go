package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/canary"
)

func loadEnvironment(env map[string]string) (*Config, error) {
	return (&Source{Getenv: func(variable string) string { return env[variable] }, ForCheck: true}).Load()
}

func TestEnvironment(t *testing.T) {
	const (
		url          = "environment: HMP_URL: is missing; the base URL of the HMP, such as https://hmp.example"
		noCredential = "environment: HMP_API_KEY_FILE: needs either a token, or an API key and its secret; set HMP_API_KEY_FILE and HMP_API_SECRET_FILE, or only HMP_TOKEN_FILE"
	)
	for _, tt := range []struct {
		name, env, want string // the credential of the one session, or the error
	}{
		{"token", "URL=https://h TOKEN=CANARY", "environment variable HMP_TOKEN"},
		{"token file", "URL=https://h TOKEN_FILE=t", "HMP_TOKEN_FILE t"},
		{"key", "URL=https://h API_KEY=CANARY API_SECRET=CANARY", "environment variable HMP_API_KEY, environment variable HMP_API_SECRET"},
		{"key files", "URL=https://h API_KEY_FILE=k API_SECRET_FILE=s", "HMP_API_KEY_FILE k, HMP_API_SECRET_FILE s"},
		{"no CA", "URL=https://h TOKEN=CANARY CA_FILE=nowhere.pem", "environment: HMP_CA_FILE: nowhere.pem: no such file or directory; a relative path begins at the directory of the file that contains it; a path in a variable begins at the working directory"},
		{"no credential", "URL=https://h", noCredential},
		{"no URL", "TOKEN=CANARY", url},
		{"a CA alone", "CA_FILE=", "hmp.yml: no such file or directory; name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none"},
		{"bad URL", "URL=https://u:CANARY@h TOKEN=CANARY", "environment: HMP_URL: has a user or password in it; remove them; give the token, or the API key and secret, to a session"},
		{"bad token", "URL=https://h TOKEN=CANARY\x01", "environment: HMP_TOKEN: has invalid characters; look for line breaks, control characters, curly quotes, accents and a byte order mark"},
		{"token as file", "URL=https://h TOKEN_FILE=CANARY-0123456789abcdef0123456789", "environment: HMP_TOKEN_FILE: looks like a secret and is not shown; write the secret into a file and name the file; if this is the name of a file, begin it with ./"},
		{"token twice", "URL=https://h TOKEN=CANARY TOKEN_FILE=t", "environment: HMP_TOKEN_FILE: both HMP_TOKEN and HMP_TOKEN_FILE; keep one of the two"},
		{"both", "URL=https://h TOKEN_FILE=t API_KEY=CANARY", noCredential},
		{"key alone", "URL=https://h API_KEY=CANARY", noCredential},
		{"secret alone", "URL=https://h API_SECRET_FILE=s", noCredential},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := make(map[string]string)
			for pair := range strings.FieldsSeq(tt.env) {
				name, value, _ := strings.Cut(pair, "=")
				if env["HMP_"+name] = value; value != "" {
					env["HMP_"+name] = " " + value + "\n" // white space at both ends is dropped
				}
			}
			config, err := loadEnvironment(env)
			got := errorText(err)
			if err == nil {
				target := config.Targets[0]
				got = target.Sessions[0].Credential()
				canary.Check(t, "the configuration", show(t, config))
				if s := config.File + " " + target.Name + " " + target.Sessions[0].Name; s != "environment default default" {
					t.Errorf("got %s", s)
				}
			}
			canary.Check(t, "the text", got)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	_, err := (&Source{File: file, Getenv: func(name string) string { return name }}).Load()
	if want := "there are two configurations, " + file + " and HMP_ variables in the environment: take one away"; errorText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

const targetFile = "[{name: b, url: https://b, sessions: [{name: b, token_file: token}]}]\n"

// newSource returns the source of a configuration with a target file and a CA file, and the
// directory that they are in.
func newSource(t *testing.T) (s *Source, dir string) {
	t.Helper()
	dir = t.TempDir()
	certificate, _ := keyPair(t)
	write(t, filepath.Join(dir, "ca.pem"), certificate)
	write(t, filepath.Join(dir, "token"), "CANARY-token\n")
	write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, tls_config: {ca_file: ca.pem}, sessions: [{name: a, token_file: token}]}]\n"+
		"target_files: [b.yml, 'targets.d/*.yml']\n")
	write(t, filepath.Join(dir, "b.yml"), targetFile)
	if err := os.Mkdir(filepath.Join(dir, "targets.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Source{File: filepath.Join(dir, "hmp.yml")}, dir
}

// TestSourceChanged changes one file after the other. What a load has read, good or not, is no
// change any more.
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
			write(t, file, step.text)
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

// TestSourceOfHungDisk: a comparison ends in time, and a file that hangs hides no change of
// another.
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
		write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, tls_config: {ca_file: "+filepath.Join(hung, "ca.pem")+"}, sessions: [{name: a, token_file: t}]}]")
		start := time.Now()
		if _, err := s.Load(); err == nil || time.Since(start) != loadTimeout {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
		changed(false, checkTimeout)
		write(t, filepath.Join(dir, "hmp.yml"), "targets: []")
		changed(true, 0)
	})
}

func TestStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var next, applied *Config
		var failure error
		store := NewStore(func() (*Config, error) { return next, failure }, func(c *Config) { applied = c })
		first, second := new(Config), new(Config)
		for i, step := range []struct {
			load    *Config
			failure error
			want    *Config
			last    time.Duration // of the last success
		}{
			{nil, errors.New("first"), nil, -1},
			{first, nil, first, time.Minute},
			{nil, errors.New("second"), first, time.Minute},
			{second, nil, second, 3 * time.Minute},
		} {
			next, failure = step.load, step.failure
			if err := store.Reload(); !errors.Is(err, step.failure) {
				t.Errorf("Reload = %v, want %v", err, step.failure)
			}
			ok, last := store.Status()
			if store.Config() != step.want || applied != step.want || ok != (step.failure == nil) || step.last < 0 && !last.IsZero() || step.last >= 0 && last.Sub(start) != step.last {
				t.Errorf("step %d: %v, applied %v, status %v, %v", i, store.Config(), applied, ok, last)
			}
			time.Sleep(time.Minute) // of the fake clock
		}
	})
}
