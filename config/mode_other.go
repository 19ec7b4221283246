//go:build !unix

package config

import "io/fs"

// accessibleToOthers returns false, because access lists decide who may read a file. Go
// reports mode 0666 for every file that is not read-only.
func accessibleToOthers(fs.FileInfo) bool { return false }
