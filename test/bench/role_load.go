package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A loadOrder is to make requests for sessions 0 to Sessions-1, in turn.
type loadOrder struct {
	URL      string // {session} stands for the name of the session that is asked for
	CA       string // of an https URL
	Kept     bool   // connections are, as Prometheus keeps them
	Bare     bool   // a GET of the HMP itself in place of a scrape
	First    int    // number of the first session
	Sessions int
	Times    int
	Workers  int           // each goes on with its next request when the last is answered, …
	Over     time.Duration // … or the requests start evenly spread over this time
	Timeout  time.Duration // of a scrape
	Deadline time.Duration // of the whole order
	Want     expectation
}

// A loadReport is on an order that went well to the last answer.
type loadReport struct {
	Elapsed, P50, P99, Longest time.Duration
}

func beLoad(orders io.Reader, reports io.Writer) error {
	l := load{clients: make(map[clientKey]*http.Client)}
	return obey(orders, reports, l.run)
}

// A load keeps its clients, and so their connections, from one order to the next.
type load struct{ clients map[clientKey]*http.Client }

type clientKey struct {
	ca   string
	kept bool
}

func (l load) run(o loadOrder) (loadReport, error) {
	key := clientKey{o.CA, o.Kept}
	client := l.clients[key]
	if client == nil {
		var err error
		if client, err = newClient(o.CA, o.Kept); err != nil {
			return loadReport{}, err
		}
		l.clients[key] = client
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.Deadline)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx) // the first wrong answer ends them all
	defer fail(nil)

	latencies := make([]time.Duration, o.Times)
	ask := func(i int) {
		var err error
		if latencies[i], err = o.ask(ctx, client, o.First+i%o.Sessions); err != nil {
			fail(err)
		}
	}
	start := time.Now()
	if o.Over > 0 {
		o.spread(ctx, ask)
	} else {
		o.work(ctx, ask)
	}
	elapsed := time.Since(start)
	if ctx.Err() != nil {
		return loadReport{}, context.Cause(ctx)
	}
	slices.Sort(latencies)
	return loadReport{
		Elapsed: elapsed,
		P50:     percentile(latencies, 50),
		P99:     percentile(latencies, 99),
		Longest: percentile(latencies, 100),
	}, nil
}

// percentile returns the least of sorted values that so many percent of them are not
// above.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// work lets every worker make its share. Where there are as many sessions as workers,
// each has one of its own: scrapes of one session at once would share a probe.
func (o loadOrder) work(ctx context.Context, ask func(i int)) {
	var workers sync.WaitGroup
	for w := range o.Workers {
		workers.Go(func() {
			for i := w; i < o.Times && ctx.Err() == nil; i += o.Workers {
				ask(i)
			}
		})
	}
	workers.Wait()
}

// spread starts every request at its time, whatever became of those before.
func (o loadOrder) spread(ctx context.Context, ask func(i int)) {
	var requests sync.WaitGroup
	defer requests.Wait()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range o.Times {
		timer.Reset(time.Until(start.Add(o.Over * time.Duration(i) / time.Duration(o.Times))))
		select {
		case <-timer.C:
			requests.Go(func() { ask(i) })
		case <-ctx.Done():
			return
		}
	}
	// The last one has its share of the time too.
	timer.Reset(time.Until(start.Add(o.Over)))
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// prometheusAccept is what Prometheus 3 sends with its default protocols.
const prometheusAccept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5," +
	"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// ask makes one request and returns how long its answer took to the last byte. The
// answer is checked after that.
func (o loadOrder) ask(ctx context.Context, client *http.Client, session int) (time.Duration, error) {
	name := sessionName(session)
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ReplaceAll(o.URL, "{session}", name), nil)
	if err != nil {
		return 0, err
	}
	if o.Bare {
		req.Header.Set("Authorization", "Bearer "+tokenOf(name))
	} else {
		req.Header.Set("Accept", prometheusAccept)
		req.Header.Set("Accept-Encoding", "gzip")
		req.Header.Set("User-Agent", "Prometheus/3.9.0")
		req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(o.Timeout.Seconds()))
	}
	start := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("session %s: %w", name, err)
	}
	defer resp.Body.Close()
	answer, err := readAnswer(resp, o.Bare)
	latency := time.Since(start)
	defer answers.Put(answer)
	if err != nil {
		return 0, fmt.Errorf("session %s: failed to read the answer: %w", name, err)
	}
	if err := o.Want.check(answer, name); err != nil {
		return 0, fmt.Errorf("session %s: %w", name, err)
	}
	return latency, nil
}
