//go:build !unix

package config

import "io/fs"

// openToOthers is false where a mode does not tell who may read a file: it is an access list
// that does, and Go reports 0666 for whatever is not read-only.
func openToOthers(fs.FileInfo) bool { return false }
