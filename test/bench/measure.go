package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// A turn is a subject's batch of scrapes in every round.
type turn struct {
	key     string // of its figures
	subject *subject
	order   loadOrder
	scrapes int // that its cost is divided by
	gets    int // that the HMP has to see, not one more nor less
	before  int // scrapes before the first round; 0 for a quarter of a batch
}

// A measurement is what one batch cost: seconds and bytes.
type measurement struct {
	cpu            float64 // of a scrape
	p50, p99, most float64 // time to an answer
	perSecond      float64
	share          float64 // of a core
	resident, peak float64 // before it, and the most
	overIdle       float64 // peak over what the subject had resident when idle
	start          float64 // exec to the first answered scrape
	binary         float64
}

// batch is a turn in which a subject is asked about one session at a time.
func batch(key string, x *subject, workers, times int) turn {
	o := x.order
	o.Workers, o.Times, o.Sessions = workers, times, workers
	return turn{key: key, subject: x, order: o, scrapes: times, gets: times}
}

// takeTurns measures all turns in each of so many rounds.
func (b *bench) takeTurns(rounds int, turns []turn) error {
	if err := b.rehearse(turns); err != nil {
		return err
	}
	for round := range rounds {
		for _, t := range turns {
			if round == rounds/2 && b.refuse == t.subject.name {
				if _, err := ask[hmpReport](b.hmp, hmpOrder{Refuse: []int{t.order.First}}, time.Minute); err != nil {
					return err
				}
			}
			m, err := b.measure(t)
			if err != nil {
				return t.wrong(err)
			}
			b.results[t.key] = append(b.results[t.key], m)
		}
	}
	return nil
}

// rehearse has every subject warm up with a part of its batch.
func (b *bench) rehearse(turns []turn) error {
	if b.smoke {
		return nil
	}
	for _, t := range turns {
		t.order.Over = 0
		t.order.Times = cmp.Or(t.before, min(t.order.Times, max(t.order.Workers, t.order.Times/4)))
		if _, err := b.carryOut(t.subject, t.order); err != nil {
			return t.wrong(err)
		}
	}
	return nil
}

// wrong says whose batch did not go well.
func (t turn) wrong(err error) error {
	return fmt.Errorf("%s answered wrongly (%s): %w", t.subject.name, t.key, err)
}

func (b *bench) measure(t turn) (m measurement, err error) {
	asked, err := ask[hmpReport](b.hmp, hmpOrder{}, time.Minute)
	if err != nil {
		return m, err
	}
	p := t.subject.process
	if err := p.forgetPeak(); err != nil {
		return m, err
	}
	before, err := p.memory()
	if err != nil {
		return m, err
	}
	start, err := p.cpu()
	if err != nil {
		return m, err
	}
	report, err := b.carryOut(t.subject, t.order)
	if err != nil {
		return m, err
	}
	end, err1 := p.cpu()
	after, err2 := p.memory()
	answered, err3 := ask[hmpReport](b.hmp, hmpOrder{}, time.Minute)
	if err := errors.Join(err1, err2, err3); err != nil {
		return m, err
	}
	if err := answered.since(asked, t.gets); err != nil {
		return m, err
	}
	scrapes, elapsed := float64(t.scrapes), report.Elapsed.Seconds()
	return measurement{
		cpu: (end - start).Seconds() / scrapes,
		p50: report.P50.Seconds(), p99: report.P99.Seconds(), most: report.Longest.Seconds(),
		perSecond: scrapes / elapsed,
		share:     (end - start).Seconds() / elapsed,
		resident:  before.resident, peak: after.peak,
		overIdle: after.peak - t.subject.idle.resident,
	}, nil
}

// since returns an error unless exactly so many GETs, and nothing else, came to the HMP
// since an earlier report.
func (r hmpReport) since(before hmpReport, gets int) error {
	got, others := r.GETs-before.GETs, r.Others-before.Others
	if got != gets || others != 0 {
		return fmt.Errorf("%d GETs and %d other requests came to the HMP, want %d and none", got, others, gets)
	}
	return nil
}
