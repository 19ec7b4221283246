package main

import (
	"context"
	"fmt"
)

var (
	transports = []string{"http", "TLS"}
	scrapers   = []int{1, 16, 128}
)

// probeKey is of one session through /probe.
func probeKey(transport string, scrapers int, subject string, kept bool) string {
	return fmt.Sprintf("probe, %s, %d scrapers: %s, %s", transport, scrapers, subject, connections(kept))
}

func connections(kept bool) string {
	if kept {
		return "kept"
	}
	return "new"
}

// probes measures scrapes of one session each. Those of blackbox_exporter and
// json_exporter, which cannot keep connections, are in the same rounds as those that do.
func (b *bench) probes(ctx context.Context) error {
	for _, transport := range transports {
		subjects, err := b.probers(ctx, transport)
		if err != nil {
			return err
		}
		for _, n := range scrapers {
			b.progress("one session through /probe: %s, %d scrapers", transport, n)
			var turns []turn
			for _, x := range subjects {
				turns = append(turns, batch(probeKey(transport, n, x.name, x.kept), x.subject, n, b.batchSize(n, transport)))
			}
			if err := b.takeTurns(b.rounds, turns); err != nil {
				return err
			}
		}
		b.stopAll()
	}
	return nil
}

// batchSize is how many scrapes make a batch: some tenths of a second of work, and as
// many for every scraper.
func (b *bench) batchSize(scrapers int, transport string) int {
	size := map[string]int{"http": 1024, "TLS": 640}[transport]
	if b.smoke {
		size = 2 * scrapers
	}
	return (size + scrapers - 1) / scrapers * scrapers
}

type prober struct {
	*subject
	kept bool
}

func (b *bench) probers(ctx context.Context, transport string) ([]prober, error) {
	var all []prober
	for _, kept := range []bool{false, true} {
		s := setting{transport: transport, kept: kept, sessions: scrapers[len(scrapers)-1]}
		all = append(all, prober{b.bare(s), kept})
		x, err := b.floor(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, prober{x, kept})
		names := []string{ours, blackbox, jsonPeer}
		if kept {
			names = names[:1]
		}
		for _, name := range names {
			x, err := b.exporter(ctx, name, s)
			if err != nil {
				return nil, err
			}
			all = append(all, prober{x, kept})
		}
	}
	return all, nil
}

func (b *bench) probeTables() (tables []*table) {
	for _, transport := range transports {
		t := &table{name: "probe: " + transport, head: []string{
			"scrapers", "subject", "connections", "CPU of a probe, µs", "× the floor", "× blackbox_exporter",
			"p50 over the bare GET, ms", "p99 over the bare GET, ms", "probes/s",
		}}
		for _, n := range scrapers {
			for _, kept := range []bool{false, true} {
				for _, name := range []string{bareGET, theFloor, ours, blackbox, jsonPeer} {
					if key := probeKey(transport, n, name, kept); b.results[key] != nil {
						t.add(b.probeRow(transport, n, name, kept)...)
					}
				}
			}
		}
		tables = append(tables, t)
	}
	return tables
}

func (b *bench) probeRow(transport string, n int, name string, kept bool) []string {
	key, get := probeKey(transport, n, name, kept), probeKey(transport, n, bareGET, kept)
	over := func(value func(measurement) float64) string {
		if name == bareGET {
			return ""
		}
		return millis.figure(b.results.over(key, get, value))
	}
	return []string{
		fmt.Sprint(n), name, connections(kept), micros.figure(b.results.of(key, cpu)),
		times.figure(b.results.ratio(key, probeKey(transport, n, theFloor, kept), cpu)),
		times.figure(b.results.ratio(key, probeKey(transport, n, blackbox, false), cpu)),
		over(p50), over(p99),
		perSec.figure(b.results.of(key, perSecond)),
	}
}
