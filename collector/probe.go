package collector

import (
	"context"
	"strconv"
	"sync"
	"time"

	"hmp_exporter/internal/crash"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// probeTimeout is how long a probe may take: its timeout, or less if the scrape has less.
// The scrape's time is what the header X-Prometheus-Scrape-Timeout-Seconds says, less the
// offset so that the answer is back before Prometheus hangs up, but no less than half of
// it. A header that says nothing sensible does not count.
func probeTimeout(timeout time.Duration, header string, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || seconds >= (timeout+offset).Seconds() {
		return timeout
	}
	scrape := time.Duration(seconds * float64(time.Second))
	return max(1, min(timeout, max(scrape-offset, scrape/2)))
}

// A report is what a probe ended in, before it is completed to a Result.
type report = token.Report

// notStarted is the report of a probe that got no place in time.
func (p *sharedProbe) notStarted(unanswered bool) report {
	if unanswered {
		r := p.local(hmp.Timeout, "no probe of this HMP was answered in time")
		r.Held = true
		return r
	}
	return p.local(hmp.Saturated, "")
}

// unreadable is the report of a probe whose secrets cannot be read. What this side lacks is
// told as such.
func (p *sharedProbe) unreadable(err error) report {
	if lack := hmp.Shortage(err); lack != "" {
		return p.local(hmp.Saturated, lack)
	}
	return p.local(hmp.Credentials, err.Error())
}

// local is the report of a probe that ended on this side. How its logins stand is what was
// known before.
func (p *sharedProbe) local(result hmp.Result, reason string) report {
	return report{Answer: hmp.Answer{Result: result, Reason: reason}, Status: p.session.state.loginStatus()}
}

// run makes a probe that has a place, and ends it. A panic costs the session its result
// and nothing else: not the scrape, and not the process.
func (p *sharedProbe) run(granted time.Time) {
	place := &place{limit: p.limit(), granted: granted}
	result := Result{}
	defer func() {
		if what := recover(); what != nil {
			result = p.crashed(granted, what)
		}
		place.release(&result)
		p.finish(result)
	}()
	result = p.probe(granted, place)
}

func (p *sharedProbe) probe(start time.Time, place *place) Result {
	if !time.Now().Before(p.deadline()) { // there was a place, but no processor
		return p.newResult(p.start, p.notStarted(false))
	}
	metrics := &p.collector.metrics
	metrics.inFlight.Inc()
	defer metrics.inFlight.Dec()
	ctx, cancel := context.WithDeadline(context.Background(), p.deadline())
	defer cancel()
	r := p.newResult(start, p.ask(ctx, place))
	if r.sent() {
		metrics.duration.Observe(r.Duration.Seconds())
	}
	return r
}

// ask reads the secrets and asks the HMP.
func (p *sharedProbe) ask(ctx context.Context, place *place) report {
	p.stage.Store(readsSecrets)
	var read secrets
	var err error
	place.aside(ctx, func() { read, err = p.session.readSecrets(ctx) })
	if err != nil {
		return p.unreadable(err)
	}
	p.stage.Store(asks)
	e := &exchange{probe: p, place: place, secrets: read}
	if !p.session.KeyMode() {
		answer, _ := e.Session(ctx, read.token)
		return report{Answer: answer}
	}
	return p.collector.tokens.Probe(ctx, token.Request{
		Credential: p.session.credential(read),
		Lifetime:   p.session.target.TokenLifetime,
		MayLogin:   !p.brief,
	}, e)
}

// newResult makes the result of a probe that ends now, but for what is counted.
func (p *sharedProbe) newResult(start time.Time, r report) Result {
	given := p.within
	// The time that is told does not change with every probe by a moment.
	if left := p.deadline().Sub(start); left < given-given/50 {
		given = left
	}
	result := Result{
		Target:   p.session.target.Name,
		Session:  p.session.Name,
		Answer:   r.Answer,
		Held:     r.Held,
		Start:    start,
		Duration: time.Since(start),
		Timeout:  given,
	}
	if p.session.KeyMode() {
		result.Logins = &Logins{Status: r.Status, Last: r.Login}
	}
	return result
}

// crashed is the result of a probe that a panic of this program ended.
func (p *sharedProbe) crashed(start time.Time, what any) Result {
	p.collector.metrics.panics.Inc()
	r := p.newResult(start, p.local("", crash.Describe(what)))
	r.Crashed = true
	if !p.session.state.crashed() { // one stack says it all, until it has gone well again
		crash.Log(p.collector.options.Logger, what, "target", r.Target, "session", r.Session)
	}
	return r
}

// A place is the one of a probe among all that are under way.
type place struct {
	limit   *targetLimit
	granted time.Time

	mu       sync.Mutex
	lendable bool // the probe does not need it just now
	lent     bool // others may have it
}

// lendAfter is how long a probe keeps its place while it waits for something else than its HMP.
const lendAfter = 50 * time.Millisecond

// aside calls wait, which waits for something else than the HMP. If that takes long, others
// may have the place meanwhile.
func (p *place) aside(ctx context.Context, wait func()) {
	p.setLendable(true)
	timer := time.AfterFunc(lendAfter, p.lend)
	func() {
		defer p.setLendable(false)
		defer timer.Stop()
		wait()
	}()
	if !p.lent {
		return
	}
	deadline, _ := ctx.Deadline()
	w := &placeWaiter{target: p.limit, until: deadline, done: make(chan bool, 1)}
	p.limit.enqueue(w)
	if <-w.done {
		p.granted, p.lent = time.Now(), false
	}
}

func (p *place) setLendable(lendable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lendable = lendable
}

func (p *place) lend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lendable {
		p.lent = true
		p.limit.release(p.granted, nothing)
	}
}

// release gives the place back with what the result tells of the HMP.
func (p *place) release(r *Result) {
	switch {
	case p.lent:
	case r.Result == hmp.Timeout && !r.Held:
		p.limit.release(p.granted, timedOut)
	case r.sent():
		p.limit.release(p.granted, answered)
	default:
		p.limit.release(p.granted, nothing)
	}
}

// A placeWaiter is a waiter in the middle of a probe.
type placeWaiter struct {
	target *targetLimit
	until  time.Time
	done   chan bool
}

func (w *placeWaiter) limit() *targetLimit     { return w.target }
func (w *placeWaiter) slow() bool              { return false }
func (w *placeWaiter) latest() time.Time       { return w.until }
func (w *placeWaiter) granted()                { w.done <- true }
func (w *placeWaiter) refused(bool, time.Time) { w.done <- false }

// An exchange speaks to the HMP for one probe.
type exchange struct {
	probe   *sharedProbe
	place   *place
	secrets secrets
}

var _ token.HMP = (*exchange)(nil)

// Session implements [token.HMP].
func (e *exchange) Session(ctx context.Context, t secret.Value) (hmp.Answer, secret.Value) {
	return e.probe.session.target.client.Session(ctx, hmp.Request{
		Token:      t,
		Secrets:    []secret.Value{e.secrets.key, e.secrets.apiSecret},
		Header:     e.secrets.header,
		OnResponse: e.responded,
	})
}

// Login implements [token.HMP].
func (e *exchange) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	return e.probe.session.target.client.Login(ctx, hmp.LoginRequest{
		Key:        key,
		Secret:     apiSecret,
		Header:     e.secrets.header,
		OnResponse: e.responded,
	})
}

// Wait implements [token.HMP].
func (e *exchange) Wait(ctx context.Context, done <-chan struct{}) (ended bool) {
	e.place.aside(ctx, func() {
		select {
		case <-done:
			ended = true
		case <-ctx.Done():
		}
	})
	return ended
}

func (e *exchange) responded(status int) { e.probe.status.Store(int64(status)) }
