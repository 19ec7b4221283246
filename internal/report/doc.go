// Package report tells people and programs what became of probes.
//
// The collector makes the probes, as it does for a scrape. Their results are a [Report],
// which is written in one of the [Formats]:
//
//   - table: a line for each session, then what to do about each failure. In a file, the
//     summary is the first line, which Nagios shows;
//   - json: a document as docs/probe.schema.json describes;
//   - metrics: what /probe would answer.
package report
