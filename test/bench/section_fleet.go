package main

import (
	"context"
	"fmt"
	"time"
)

// fleetSizes are numbers of sessions on one HMP.
var fleetSizes = []int{1, 1000, mostSessions}

// fleetWorkers is how many GETs are made at once in place of a scrape: as many as the
// exporter makes probes at once where there is a need. Fewer cost them no less.
const fleetWorkers = 256

func fleetKey(transport string, sessions int, subject string) string {
	return fmt.Sprintf("/metrics, %s, %d sessions: %s", transport, sessions, subject)
}

// fleets measures scrapes of /metrics, against as many GETs as each has sessions.
func (b *bench) fleets(ctx context.Context) error {
	for _, transport := range transports {
		b.progress("/metrics with many sessions: %s", transport)
		var turns []turn
		var idle memory // of the exporter with the fewest sessions, for all
		for i, n := range fleetSizes {
			s := setting{transport: transport, kept: true, sessions: b.many(n)}
			exporter, err := b.exporter(ctx, ours, s)
			if err != nil {
				return err
			}
			if i == 0 {
				idle = exporter.idle
			}
			exporter.idle = idle
			turns = append(turns, b.fleetTurn(n, exporter, s), b.fleetTurn(n, b.bare(s), s))
		}
		if err := b.takeTurns(b.rounds, turns); err != nil {
			return err
		}
		b.stopAll()
	}
	return nil
}

// fleetTurn makes so many scrapes of all sessions, or for each one as many GETs as
// there are sessions.
func (b *bench) fleetTurn(n int, x *subject, s setting) turn {
	scrapes := max(1, min(256, 3000/s.sessions))
	if b.smoke {
		scrapes = 1
	}
	o := x.order
	o.Timeout = 15 * time.Second
	before := 0
	if o.Bare {
		o.Workers, o.Times = min(fleetWorkers, s.sessions), scrapes*s.sessions
	} else {
		o.URL, o.Workers, o.Times = x.metrics, 1, scrapes
		before = 60 // so that the history of each session is full
		o.Want = expectation{Sessions: s.sessions}
	}
	return turn{key: fleetKey(s.transport, n, x.name), subject: x, order: o, scrapes: scrapes, gets: scrapes * s.sessions, before: before}
}

func (b *bench) fleetTables() []*table {
	t := &table{name: "fleet", head: []string{
		"transport", "sessions", "CPU of a scrape, ms", "of as many bare GETs, ms", "ratio",
		"for a session, µs", "answered after, ms", "peak RSS, MB", "peak RSS over idle for a session, kB",
	}}
	for _, transport := range transports {
		for _, n := range fleetSizes {
			key, gets := fleetKey(transport, n, ours), fleetKey(transport, n, bareGET)
			perSession := "" // of one session it would be that of the exporter
			if n > 1 {
				perSession = kB.per(n).figure(b.results.of(key, overIdle))
			}
			t.add(transport, grouped(n), millis.figure(b.results.of(key, cpu)), millis.figure(b.results.of(gets, cpu)),
				times.figure(b.results.ratio(key, gets, cpu)), micros.per(n).figure(b.results.of(key, cpu)),
				millis.figure(b.results.of(key, longest)), mB.figure(b.results.of(key, peak)), perSession)
		}
	}
	return []*table{t}
}
