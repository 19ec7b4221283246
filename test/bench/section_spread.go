package main

import (
	"context"
	"time"
)

const (
	spreadSessions = 1000
	spreadOver     = 10 * time.Second
)

func spreadKey(subject string) string { return "1,000 scrapes over 10 s: " + subject }

// spreads measures scrapes of many sessions, one after the other, at their times: what a
// Prometheus does that has each of them as a target.
func (b *bench) spreads(ctx context.Context) error {
	b.progress("1,000 sessions as 1,000 scrapes over 10 s")
	sessions, over := b.many(spreadSessions), spreadOver
	if b.smoke {
		over = 100 * time.Millisecond
	}
	s := setting{transport: "http", kept: true, sessions: sessions}
	floor, err := b.floor(ctx, s)
	if err != nil {
		return err
	}
	subjects := []*subject{floor}
	for _, name := range []string{ours, blackbox} {
		x, err := b.exporter(ctx, name, s)
		if err != nil {
			return err
		}
		subjects = append(subjects, x)
	}
	var turns []turn
	for _, x := range subjects {
		o := x.order
		o.Workers, o.Times, o.Over = 1, sessions, over
		turns = append(turns, turn{key: spreadKey(x.name), subject: x, order: o, scrapes: sessions, gets: sessions})
	}
	defer b.stopAll()
	return b.takeTurns(b.spreadRounds(), turns)
}

func (b *bench) spreadTables() []*table {
	t := &table{name: "spread", head: []string{"subject", "share of a core, %", "× the floor", "CPU of a scrape, µs", "p50, ms", "p99, ms", "peak RSS, MB"}}
	for _, name := range []string{theFloor, ours, blackbox} {
		key := spreadKey(name)
		t.add(name, percent.figure(b.results.of(key, share)), times.figure(b.results.ratio(key, spreadKey(theFloor), cpu)),
			micros.figure(b.results.of(key, cpu)), millis.figure(b.results.of(key, p50)), millis.figure(b.results.of(key, p99)),
			mB.figure(b.results.of(key, peak)))
	}
	return []*table{t}
}

// spreadRounds are fewer, as each batch takes ten seconds.
func (b *bench) spreadRounds() int { return min(b.rounds, 3) }
