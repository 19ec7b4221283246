// Command bench measures what a scrape costs: with hmp_exporter, with blackbox_exporter
// and json_exporter, with the least that any exporter has to do, and with nothing but
// the GET. `make bench-peers` builds what it needs, runs it, and has it write the tables
// of docs/performance.md.
//
// Each of them, the subjects, is a process of its own, and so are the simulated HMP that
// they ask and the load that asks them; the latter two are this program again, in another
// role. So the CPU time of a subject's process is what its scrapes cost and nothing else.
//
// The subjects take turns: a round is one batch of scrapes of each. A figure is the
// median of the rounds; a ratio is that of two batches of the same round, and the median
// of these. What disturbs a machine for a while so disturbs all alike.
//
// No answer is timed that is not also checked. An answer that is wrong, and a scrape that
// did not make exactly one GET for each of its sessions, ends the run with an error.
package main
