package hmpsim

import (
	"os"
	"path/filepath"
	"strconv"
)

// A demoFile is a file that the configuration of a session names.
type demoFile struct {
	Field  string // what it is in the configuration
	Path   string // relative to the configuration
	secret string // what stands in it when the demo starts
}

// files are those of a session: its token, or its key and secret. They open
// nothing but the demo.
func (t *demoTarget) files(s demoSession) []demoFile {
	if s.logsIn {
		return []demoFile{
			{Field: "api_key_file", Path: "keys/" + t.name + "-" + s.name + ".key", secret: t.key(s)},
			{Field: "api_secret_file", Path: t.secretFile(s), secret: t.secret(s, 1)},
		}
	}
	return []demoFile{{Field: "token_file", Path: "tokens/" + t.name + "-" + s.name + ".token", secret: t.token(s)}}
}

func (t *demoTarget) token(s demoSession) string { return "demo-" + t.name + "-" + s.name }

func (t *demoTarget) key(s demoSession) string { return "demo-" + t.name + "-" + s.name + "-key" }

// secret is the n-th secret of the session's key, counted from 1.
func (t *demoTarget) secret(s demoSession, n int) string {
	return "demo-" + t.name + "-" + s.name + "-secret-" + strconv.Itoa(n)
}

func (t *demoTarget) secretFile(s demoSession) string {
	return "keys/" + t.name + "-" + s.name + ".secret"
}

// writeDemo writes the files of the demo.
func writeDemo(dir string, ca []byte, fleet []demoTarget) error {
	for _, t := range fleet {
		for _, s := range t.sessions {
			if s.noFiles {
				continue
			}
			for _, f := range t.files(s) {
				if err := writeSecret(filepath.Join(dir, f.Path), f.secret); err != nil {
					return err
				}
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "hmp.yml"), demoConfig(fleet), 0o600)
}

// writeSecret writes a file as a careful user does: readable by nobody else, and
// in one step, so that who reads it meanwhile finds the old secret or the new one
// and never a part.
func writeSecret(file, secret string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	beside := file + ".new"
	if err := os.WriteFile(beside, []byte(secret+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(beside, file)
}
