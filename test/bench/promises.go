package main

import (
	"errors"
	"fmt"
)

// A promise is a number that the exporter is held to.
type promise struct {
	what   string
	goal   float64 // at most
	least  bool    // at least
	always bool    // in every round, and not only in the median of them
	unit   unit
	figure func(r results) figure
	floor  func(r results) figure // what the floor comes to, beside a peer; may be nil
}

// most promises that the median of a ratio is at most so much.
func most(goal float64, key, to string, value func(measurement) float64, what string, args ...any) promise {
	return promise{
		what: fmt.Sprintf(what, args...), goal: goal, unit: times,
		figure: func(r results) figure { return r.ratio(key, to, value) },
	}
}

// never promises that a value is below a goal in every round.
func never(goal float64, u unit, key string, value func(measurement) float64, what string, args ...any) promise {
	return promise{
		what: fmt.Sprintf(what, args...), goal: goal, always: true, unit: u,
		figure: func(r results) figure { return r.of(key, value) },
	}
}

// promises are all of them, in the order of the document.
func promises() []promise {
	var all []promise
	for _, of := range []func() []promise{probePromises, tailPromises, fleetPromises, payloadPromises, spreadPromises, startPromises} {
		all = append(all, of()...)
	}
	return all
}

// probePromises are of CPU time at 16 scrapers.
func probePromises() (all []promise) {
	for _, c := range []struct {
		transport string
		kept      bool
		to        string
		goal      float64
	}{
		{"http", true, theFloor, 1.5},
		{"TLS", true, theFloor, 1.5},
		{"http", false, theFloor, 1.5},
		{"TLS", false, theFloor, 1.15},
		{"http", false, blackbox, 0.4},
		{"TLS", false, blackbox, 0.65},
		{"http", true, blackbox, 0.2},
		{"TLS", true, blackbox, 0.1},
		{"http", false, jsonPeer, 1},
		{"TLS", false, jsonPeer, 1},
	} {
		// What cannot keep connections is compared as it is.
		key, to := probeKey(c.transport, 16, ours, c.kept), probeKey(c.transport, 16, c.to, c.kept && c.to == theFloor)
		p := most(c.goal, key, to, cpu, "`/probe`, %s, %s connections: CPU to that of %s", c.transport, connections(c.kept), c.to)
		if c.to != theFloor {
			floor := probeKey(c.transport, 16, theFloor, c.kept)
			p.floor = func(r results) figure { return r.ratio(floor, to, cpu) }
		}
		all = append(all, p)
	}
	return all
}

// tailPromises are of latency at 16 scrapers and of throughput at 128, both to those of
// blackbox_exporter.
func tailPromises() (all []promise) {
	tail := func(m measurement) float64 { return m.p99 }
	for _, c := range []struct {
		transport  string
		kept       bool
		throughput float64
	}{{"http", false, 2}, {"http", true, 3}, {"TLS", false, 1.3}, {"TLS", true, 3}} {
		for _, v := range []struct {
			what     string
			scrapers int
			value    func(measurement) float64
			goal     float64
			least    bool
		}{{"p99", 16, tail, 1, false}, {"probes/s with 128 scrapers", 128, perSecond, c.throughput, true}} {
			key, to := probeKey(c.transport, v.scrapers, ours, c.kept), probeKey(c.transport, v.scrapers, blackbox, false)
			floor := probeKey(c.transport, v.scrapers, theFloor, c.kept)
			p := most(v.goal, key, to, v.value, "`/probe`, %s, %s connections: %s to that of blackbox_exporter", c.transport, connections(c.kept), v.what)
			p.least = v.least
			p.floor = func(r results) figure { return r.ratio(floor, to, v.value) }
			all = append(all, p)
		}
	}
	return all
}

func fleetPromises() (all []promise) {
	for _, transport := range transports {
		for i, n := range []int{1000, mostSessions} {
			goal := []float64{1.5, 1.3}[i]
			key := fleetKey(transport, n, ours)
			all = append(all,
				most(goal, key, fleetKey(transport, n, bareGET), cpu, "`/metrics`, %s, %s sessions: CPU to that of as many bare GETs", transport, grouped(n)),
				never(20e3, kB, key, func(m measurement) float64 { return m.overIdle / float64(n) }, "`/metrics`, %s, %s sessions: peak RSS over idle for a session", transport, grouped(n)))
		}
		key := fleetKey(transport, mostSessions, ours)
		all = append(all,
			never(120e6, mB, key, peak, "`/metrics`, %s, 10,000 sessions, each with a full history: peak RSS", transport),
			most(11, key, fleetKey(transport, 1000, ours), cpu, "`/metrics`, %s: CPU of 10,000 sessions to that of 1,000", transport),
			never(15, seconds, key, longest, "`/metrics`, %s, 10,000 sessions: time to the answer", transport))
	}
	return all
}

func payloadPromises() (all []promise) {
	for _, mb := range payloads {
		key := payloadKey(mb, ours)
		all = append(all,
			most(4, key, payloadKey(mb, bareGET), cpu, "payload of %d MB: CPU to that of the bare GET", mb),
			never(4e6, mB, key, overIdle, "payload of %d MB: peak RSS over idle", mb))
	}
	return all
}

func spreadPromises() []promise {
	return []promise{
		most(2, spreadKey(ours), spreadKey(theFloor), cpu, "1,000 scrapes over 10 s: CPU to that of the floor"),
		never(64e6, mB, spreadKey(ours), peak, "1,000 scrapes over 10 s: peak RSS"),
	}
}

func startPromises() []promise {
	many, one := startKey(ours, mostSessions), startKey(ours, 1)
	return []promise{
		never(0.5, millis, many, start, "start with 10,000 sessions: exec to the first answered scrape"),
		never(25e6, mB, one, resident, "start with one session: RSS"),
		never(20e6, mB, one, binary, "size of the program"),
	}
}

// held tells whether a promise was kept.
func (p promise) held(f figure) bool {
	switch {
	case p.least:
		return f.median >= p.goal
	case p.always:
		return f.most <= p.goal
	default:
		return f.median <= p.goal
	}
}

// verdict says whether a promise was held, and whether another run could say otherwise.
func (p promise) verdict(f figure) string {
	verdict := "**no**"
	if p.held(f) {
		verdict = "yes"
	}
	if !p.always && f.least <= p.goal && p.goal <= f.most {
		verdict += ", barely"
	}
	return verdict
}

// promiseTable says of every promise whether it was kept. All have to be measured.
func (b *bench) promiseTable() (*table, error) {
	t := &table{name: "promises", head: []string{"promise", "goal", "measured", "held", "the floor"}}
	var missing error
	for _, p := range promises() {
		f := p.figure(b.results)
		if f.rounds == 0 {
			missing = errors.Join(missing, fmt.Errorf("nothing was measured of the promise %q", p.what))
		}
		sign := "≤"
		if p.least {
			sign = "≥"
		}
		floor := ""
		if p.floor != nil {
			floor = p.unit.figure(p.floor(b.results)) + " " + p.unit.name
		}
		t.add(p.what, sign+" "+p.unit.value(p.goal)+" "+p.unit.name, p.unit.figure(f)+" "+p.unit.name, p.verdict(f), floor)
	}
	return t, missing
}
