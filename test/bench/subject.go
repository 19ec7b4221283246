package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// The subjects.
const (
	bareGET  = "the bare GET"
	theFloor = "the floor"
	ours     = "hmp_exporter"
	blackbox = "blackbox_exporter"
	jsonPeer = "json_exporter"
)

// A subject is a process whose cost is measured.
type subject struct {
	name    string
	process *process
	asker   *child    // who carries out the orders: the load, or the subject itself
	order   loadOrder // how it is asked about one session
	metrics string    // URL of the metrics of all sessions
	idle    memory    // when it had answered for the first time, and of nothing large
}

// A setting is what a subject has to do with: an HMP behind a transport, asked over
// connections that are kept or new for every probe, about some of its sessions.
type setting struct {
	transport       string // http or TLS
	kept            bool
	first, sessions int
}

func (s setting) String() string {
	return fmt.Sprintf("%s, %s connections, %d sessions", s.transport, connections(s.kept), s.sessions)
}

// bare returns the process that makes GETs and throws away what is answered.
func (b *bench) bare(s setting) *subject {
	hmp, ca := b.at.url(s.transport)
	return &subject{name: bareGET, process: b.getter.process, asker: b.getter, order: loadOrder{
		URL: hmp + hmpsim.Endpoint, CA: ca, Kept: s.kept, Bare: true, First: s.first, Sessions: s.sessions,
		Want: expectation{Bytes: 500},
	}}
}

// floor starts the least that an exporter can be.
func (b *bench) floor(ctx context.Context, s setting) (*subject, error) {
	c, err := startChild(ctx, theFloor, "floor", b.dir)
	if err != nil {
		return nil, err
	}
	b.started = append(b.started, c.process)
	hmp, ca := b.at.url(s.transport)
	at, err := ask[string](c, floorOrder{HMP: hmp, CA: ca, Kept: s.kept}, time.Minute)
	if err != nil {
		return nil, err
	}
	return b.settle(s, &subject{
		name: theFloor, process: c.process, asker: b.load,
		order: loadOrder{URL: at + "/?session={session}", Want: expectation{Samples: map[string]float64{"hmp_session_valid": 1}}},
	})
}

// settle waits until a subject has answered about the first of its sessions.
func (b *bench) settle(s setting, x *subject) (*subject, error) {
	x.order.Kept, x.order.First, x.order.Sessions = true, s.first, s.sessions
	first := x.order
	first.Kept, first.Times, first.Workers = false, 1, 1
	_, err := b.carryOut(x, first)
	if err == nil {
		x.idle, err = x.process.memory()
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not start to answer (%s): %w", x.name, s, err)
	}
	return x, nil
}

// carryOut gives an order and waits for the end.
func (b *bench) carryOut(x *subject, o loadOrder) (loadReport, error) {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	o.Deadline = 2 * time.Minute
	report, err := ask[loadReport](x.asker, o, o.Deadline+10*time.Second)
	return report, errors.Join(err, x.process.alive())
}
