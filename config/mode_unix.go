//go:build unix

package config

import (
	"io/fs"
	"syscall"
)

// accessibleToOthers reports whether others than the owner can read or write a file. A group
// may read a file of root: so a service can read a secret that it cannot change.
func accessibleToOthers(info fs.FileInfo) bool {
	const groupWrites, othersDo, groupReads = 0o020, 0o007, 0o040
	mode := info.Mode().Perm()
	stat, ok := info.Sys().(*syscall.Stat_t)
	isRoots := ok && stat.Uid == 0
	return mode&(groupWrites|othersDo) != 0 || mode&groupReads != 0 && !isRoots
}
