package main

import (
	"context"
	"fmt"
	"time"
)

func payloadKey(mb int, subject string) string {
	return fmt.Sprintf("payload of %d MB: %s", mb, subject)
}

// payloads measures scrapes of a session that is large. Each has processes of its own,
// so that what is resident is due to it; they have answered about a small session before.
func (b *bench) payloads(ctx context.Context) error {
	for i, mb := range payloads {
		b.progress("payload of %d MB", mb)
		small := setting{transport: "http", kept: true, first: mostSessions - 1, sessions: 2 + i}
		subjects := []*subject{b.bare(small)}
		for _, name := range []string{ours, blackbox, jsonPeer} {
			x, err := b.exporter(ctx, name, small)
			if err != nil {
				return err
			}
			subjects = append(subjects, x)
		}
		var turns []turn
		for _, x := range subjects {
			if err := b.warmUp(x); err != nil {
				return err
			}
			turns = append(turns, b.payloadTurn(x, i))
		}
		if err := b.takeTurns(b.payloadRounds(), turns); err != nil {
			return err
		}
		b.stopAll()
	}
	return nil
}

// warmUp has a subject answer about the first of its sessions until it has the memory
// that this takes in the long run.
func (b *bench) warmUp(x *subject) error {
	o := x.order
	o.Workers, o.Sessions, o.Times = 1, 1, 1000
	if b.smoke {
		o.Times = 1
	}
	_, err := b.carryOut(x, o)
	if err == nil {
		x.idle, err = x.process.memory()
	}
	return err
}

// payloadTurn asks about a large session, of which more is known than of a small one.
func (b *bench) payloadTurn(x *subject, i int) turn {
	scrapes := max(2, 16/payloads[i])
	if b.smoke {
		scrapes = 1
	}
	t := batch(payloadKey(payloads[i], x.name), x, 1, scrapes)
	t.order.First, t.order.Timeout = payloadSession(i), time.Minute
	switch x.name {
	case bareGET:
		t.order.Want = expectation{Bytes: int64(payloads[i]) * 99e4} // entries have a size of their own
	case ours:
		t.order.Want.Samples = map[string]float64{
			`hmp_session_valid{session="{session}",target="bench"}`:            1,
			`hmp_session_service_messages{session="{session}",target="bench"}`: payloadMessages,
		}
	case jsonPeer:
		t.order.Want.Lines = map[string]int{jsonMessage: payloadMessages}
	}
	return t
}

func (b *bench) payloadTables() []*table {
	t := &table{name: "payload", head: []string{"payload, MB", "subject", "CPU of a scrape, ms", "× the bare GET", "answered after, ms", "peak RSS, MB", "peak RSS over idle, MB"}}
	for _, mb := range payloads {
		for _, name := range []string{bareGET, ours, blackbox, jsonPeer} {
			key := payloadKey(mb, name)
			row := []string{
				fmt.Sprint(mb), name, millis.figure(b.results.of(key, cpu)), times.figure(b.results.ratio(key, payloadKey(mb, bareGET), cpu)),
				millis.figure(b.results.of(key, p50)), "", "",
			}
			if name != bareGET { // whose process has done other things
				row[5], row[6] = mB.figure(b.results.of(key, peak)), mB.figure(b.results.of(key, overIdle))
			}
			t.add(row...)
		}
	}
	return []*table{t}
}

// payloadRounds are fewer, as those of the peers take seconds.
func (b *bench) payloadRounds() int { return min(b.rounds, 5) }
