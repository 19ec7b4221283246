// Package faults causes faults of HMPs, networks and proxies, and checks what a scraper then
// sees. It has only tests.
//
// Each fault is a row of a table: a name that does not resolve, an expired certificate, an
// endless body. The row has the expected result, the status, hmp_up, the number of
// connections, and whether the probe lasts until its deadline. [TestPage] compares
// docs/fault-matrix.md with the rows.
//
// A row runs the whole exporter: it loads a configuration file, probes the target and
// answers GET /probe. The other end is a server in the test:
//
//	scraper ──HTTP──> exporter ──TCP, TLS, HTTP──> server
//
// The server runs a script for each connection. It writes bytes, because an HTTP server
// cannot break the rules well enough. It counts connections and records what it receives.
// This script reads a request, answers with a head, and resets the connection:
//
//	answersThen(head(200, "Content-Length: 100"), (*peer).reset)
//
// A name server in the process resolves names. It fails for some of them.
//
// Most rows run twice: with a fixed token the fault meets the GET, with an API key it meets
// the POST. A rule derives the second result from the first.
//
// All rows have the same limits: allocated memory, time, the size of the exposition and its
// labels, and who receives a secret. After a change of a row, update the page:
//
//	go test -C test ./faults -run TestPage -update
package faults
