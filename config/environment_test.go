package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hmp_exporter/internal/canary"
)

// environment returns the source of variables.
func environment(variables map[string]string) *Source {
	return &Source{Getenv: func(name string) string { return variables[name] }}
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
			config, err := environment(env).Load()
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
	replaceFiles(t)
	files.open = func(path string) (*os.File, error) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	_, err = environment(map[string]string{"HMP_URL": "https://h"}).Load()
	if want := "HMP_ variables are set, and there may be a second configuration in hmp.yml, which cannot be read: permission denied; start in another directory"; errorText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
