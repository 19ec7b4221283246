// Package probe probes sessions once, for the person or the program that asks on the
// command line.
//
// The collector makes the probes, as it does for a scrape. What comes of them becomes a
// [Report], and that is written in one of the [Formats]:
//
//   - table: on a terminal, lines that fill in as the answers come, then what to do about
//     each failure; elsewhere the same as plain text, with the summary in the first line,
//     which is what Nagios shows;
//   - json: a document as docs/probe.schema.json describes;
//   - metrics: what /probe would answer.
package probe
