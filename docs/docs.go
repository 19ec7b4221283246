// Package docs contains the documents that the program shows.
package docs

import _ "embed"

// Runbook is docs/runbook.md.
//
//go:embed runbook.md
var Runbook []byte
