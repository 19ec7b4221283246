package main

import (
	"context"
	"os"
	"time"
)

func startKey(subject string, sessions int) string {
	return "start with " + grouped(sessions) + " sessions: " + subject
}

// startTurns are the exporters that are started, and with how many sessions.
var startTurns = []struct {
	name     string
	sessions int
}{{ours, mostSessions}, {ours, 1}, {blackbox, 1}, {jsonPeer, 1}}

// starts measures the time from exec to the first answered scrape, what is resident
// after that, and how large the programs are.
func (b *bench) starts(ctx context.Context) error {
	b.progress("start")
	for range b.rounds {
		for _, t := range startTurns {
			m, err := b.start(ctx, t.name, t.sessions)
			if err != nil {
				return err
			}
			key := startKey(t.name, t.sessions)
			b.results[key] = append(b.results[key], m)
		}
	}
	return nil
}

// start starts an exporter and scrapes it at once: the listener is there before it.
func (b *bench) start(ctx context.Context, name string, sessions int) (m measurement, err error) {
	defer b.stopAll()
	s := setting{transport: "http", kept: true, sessions: b.many(sessions)}
	x, err := b.launch(ctx, name, s)
	if err != nil {
		return m, err
	}
	if x, err = b.settle(s, x); err != nil {
		return m, err
	}
	m.start, m.resident = time.Since(x.process.since).Seconds(), x.idle.resident
	file, err := os.Stat(b.binaries[name])
	if err != nil {
		return m, err
	}
	m.binary = float64(file.Size())
	return m, nil
}

func (b *bench) startTables() []*table {
	t := &table{name: "start", head: []string{"subject", "sessions", "exec to the first answered scrape, ms", "RSS after it, MB", "program, MB"}}
	for _, turn := range startTurns {
		key := startKey(turn.name, turn.sessions)
		t.add(turn.name, grouped(turn.sessions), millis.figure(b.results.of(key, start)), mB.figure(b.results.of(key, resident)),
			mB.value(b.results.of(key, binary).median))
	}
	return []*table{t}
}
