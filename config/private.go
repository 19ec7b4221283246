package config

import (
	"fmt"
	"os"
)

// private is a file that only the exporter should be able to read; at says where its
// name stands.
type private struct {
	at   Error
	file string
}

// warn adds a warning if others can get at the file. What is no file, such as a directory
// or a device, has its mode for other reasons, and cannot be read as a secret anyway.
func (p private) warn(to Errors) Errors {
	info, err := os.Stat(p.file)
	if err != nil || !info.Mode().IsRegular() || !open(info) {
		return to
	}
	e := p.at
	e.Problem = fmt.Sprintf("has mode %04o: others than its owner can get at the secret in it", info.Mode().Perm())
	if e.File != p.file {
		e.Problem = p.file + ": " + e.Problem
	}
	e.Hint = "chmod 600, or 640 and root as its owner, with the exporter's group"
	return append(to, &e)
}
