package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// A bench is one run.
type bench struct {
	options
	dir     string // of configurations and logs; removed in the end
	hmp     *child
	load    *child // asks exporters
	getter  *child // is the subject that asks the HMP itself
	at      hmpReport
	started []*process // subjects that are running
	results results
}

// newBench starts what all sections need.
func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, results: make(results)}
	if b.dir, err = os.MkdirTemp("", "hmp_exporter-bench-"); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		child      **child
		name, role string
	}{{&b.hmp, "simulated HMP", "hmp"}, {&b.load, "load", "load"}, {&b.getter, bareGET, "load"}} {
		if *c.child, err = startChild(ctx, c.name, c.role, b.dir); err != nil {
			b.close()
			return nil, err
		}
	}
	if b.at, err = ask[hmpReport](b.hmp, hmpOrder{}, time.Minute); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// stopAll ends the subjects.
func (b *bench) stopAll() {
	for _, p := range b.started {
		p.stop()
	}
	b.started = nil
}

// close ends everything and leaves nothing behind.
func (b *bench) close() {
	b.stopAll()
	for _, c := range []*child{b.hmp, b.load, b.getter} {
		if c != nil {
			c.stop()
		}
	}
	_ = os.RemoveAll(b.dir) // a directory of temporary files
}

// progress tells who waits what is going on.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// many is a number of sessions, or a few where it is only to be seen that all works.
func (b *bench) many(sessions int) int {
	if b.smoke {
		return min(sessions, 20)
	}
	return sessions
}
