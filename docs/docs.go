// Package docs has the documents that the program shows.
package docs

import _ "embed"

// Runbook is what to do about each alert and each result, in Markdown.
//
//go:embed runbook.md
var Runbook []byte
