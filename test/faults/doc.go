// Package faults breaks what stands around the exporter, one thing at a time, and
// looks at what a scraper then sees. It has tests and nothing else.
//
// The unit is a fault: a name that does not resolve, a certificate that has expired, a
// body that never ends. Each is a row of a table, with what has to become of it: one
// result, the status, the value of hmp_up, how many connections there were, whether it
// lasts until the deadline. docs/fault-matrix.md has the same tables for people to
// read; a test holds the two together.
//
// A row is run by the whole exporter, and nothing in it is replaced. A configuration
// file is loaded, a collector probes what it names, and an HTTP server answers
// GET /probe. On the other side there is a socket of the loopback interface:
//
//	scraper ──HTTP──> exporter ──TCP, TLS, HTTP──> far side
//
// A far side follows a script for each connection. It writes bytes as they stand in
// the row, because a server that knows HTTP cannot break its rules well enough. It
// counts connections and keeps what it received. Scripts are small:
//
//	saysAnd(head(200, "Content-Length: 100"), (*peer).reset)
//
// reads a request, answers with a head, and resets the connection before the body.
// Names are resolved by a name server of this process, which fails where a name says
// so.
//
// Each row is run twice where that makes sense: for a session with a fixed token,
// where the fault meets a GET, and for one with an API key, where it meets the POST.
// What is wanted of the second follows from the first by a rule.
//
// Beside its own wants, every row has to stay within bounds that hold for all: the
// memory that is allocated meanwhile, the time beyond the deadline, the size of the
// exposition and of its labels, and where a secret may go. To add a fault, add a row,
// and make the page with
//
//	go test -C test ./faults -run TestPage -update
package faults
