package config

import "strings"

// Nearest returns the most similar of some names. It returns "" if more than two letters, or
// half of the letters, differ. Case, dashes and underscores do not count.
func Nearest(name string, names []string) string {
	plain := strings.NewReplacer("-", "", "_", "")
	name = plain.Replace(strings.ToLower(name))
	for edits := range 3 {
		for _, candidate := range names {
			if 2*edits < len(candidate) && withinEdits(name, plain.Replace(strings.ToLower(candidate)), edits) {
				return candidate
			}
		}
	}
	return ""
}

// withinEdits reports whether at most edits insertions, deletions and replacements make a
// into b.
func withinEdits(a, b string, edits int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return len(a)+len(b) <= edits
	case edits == 0:
		return false
	default:
		return withinEdits(a[1:], b, edits-1) || withinEdits(a, b[1:], edits-1) || withinEdits(a[1:], b[1:], edits-1)
	}
}
