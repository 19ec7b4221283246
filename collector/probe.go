package collector

import (
	"context"
	"strconv"
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
func (p *sharedProbe) notStarted(hangs bool) report {
	if hangs {
		r := p.localReport(hmp.Timeout, "no probe of this HMP was answered in time")
		r.Skipped = true
		return r
	}
	return p.localReport(hmp.Saturated, "")
}

// unreadable is the report of a probe whose secrets cannot be read. What this side lacks is
// told as such.
func (p *sharedProbe) unreadableSecrets(err error) report {
	if lack := hmp.Shortage(err); lack != "" {
		return p.localReport(hmp.Saturated, lack)
	}
	return p.localReport(hmp.Credentials, err.Error())
}

// local is the report of a probe that ended on this side. How its logins stand is what was
// known before.
func (p *sharedProbe) localReport(result hmp.Result, reason string) report {
	return report{Answer: hmp.Answer{Result: result, Reason: reason}, Status: p.session.state.loginStatus()}
}

// run makes a probe that has a place, and ends it. A panic costs the session its result
// and nothing else: not the scrape, and not the process. It returns a probe, or nil, that
// has a place now.
func (p *sharedProbe) run() (next waiter) {
	p.slot.limit, p.slot.granted = p.limit(), time.Now()
	var r Result
	defer func() {
		if what := recover(); what != nil {
			r = p.panicked(what)
		}
		next = p.slot.release(&r)
		p.finish(r)
		if _, isProbe := next.(*sharedProbe); !isProbe && next != nil {
			next.granted()
			next = nil
		}
	}()
	if !time.Now().Before(p.deadline()) { // there was a place, but no processor
		r = p.newResult(p.start, p.notStarted(false))
		return nil
	}
	metrics := &p.collector.metrics
	metrics.inFlight.Inc()
	defer metrics.inFlight.Dec()
	ctx, cancel := context.WithDeadline(context.Background(), p.deadline())
	defer cancel()
	start := p.slot.granted
	if r = p.newResult(start, p.probe(ctx)); r.sent() {
		metrics.duration.Observe(r.Duration.Seconds())
	}
	return nil
}

// ask reads the secrets and asks the HMP.
func (p *sharedProbe) probe(ctx context.Context) report {
	p.stage.Store(readingSecrets)
	if err := p.readSecrets(ctx); err != nil {
		return p.unreadableSecrets(err)
	}
	p.stage.Store(probing)
	if !p.session.KeyMode() {
		answer, _ := p.Session(ctx, p.secrets.token)
		return report{Answer: answer}
	}
	return p.collector.tokens.Probe(ctx, token.Request{
		Credential: p.session.credential(p.secrets),
		Lifetime:   p.session.target.TokenLifetime,
		MayLogin:   !p.brief,
	}, p)
}

// readSecrets reads the secrets. Others may have the place if a disk takes long.
func (p *sharedProbe) readSecrets(ctx context.Context) (err error) {
	read := func() { p.secrets, err = p.session.readSecrets(ctx) }
	if p.session.hasSecretFiles {
		p.slot.releaseWhile(ctx, read)
	} else {
		read()
	}
	return err
}

var _ token.HMP = (*sharedProbe)(nil)

// Session implements [token.HMP].
func (p *sharedProbe) Session(ctx context.Context, t secret.Value) (hmp.Answer, secret.Value) {
	answer, next := p.session.target.client.Session(ctx, hmp.Request{
		Token:      t,
		Secrets:    p.secrets.ofLogin(),
		Header:     p.secrets.header,
		OnResponse: p.responded,
	})
	p.confirmed = confirmedTokens{sent: t, token: t}
	if !next.IsZero() {
		p.confirmed.token = next
	}
	return answer, next
}

// Login implements [token.HMP].
func (p *sharedProbe) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	return p.session.target.client.Login(ctx, hmp.LoginRequest{
		Key:        key,
		Secret:     apiSecret,
		Header:     p.secrets.header,
		OnResponse: p.responded,
	})
}

// Wait implements [token.HMP].
func (p *sharedProbe) Wait(ctx context.Context, done <-chan struct{}) (ended bool) {
	p.slot.releaseWhile(ctx, func() {
		select {
		case <-done:
			ended = true
		case <-ctx.Done():
		}
	})
	return ended
}

func (p *sharedProbe) responded(status int) { p.status.Store(int64(status)) }

// newResult makes the result of a probe that ends now, without what is counted.
func (p *sharedProbe) newResult(start time.Time, r report) Result {
	given := p.timeout
	// The time that is told does not change with every probe by a moment.
	if left := p.deadline().Sub(start); left < given-given/50 {
		given = left
	}
	result := Result{
		Target:   p.session.target.Name,
		Session:  p.session.Name,
		Answer:   r.Answer,
		Skipped:  r.Skipped,
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
func (p *sharedProbe) panicked(what any) Result {
	p.collector.metrics.panics.Inc()
	r := p.newResult(p.slot.granted, p.localReport("", crash.Describe(what)))
	r.Panicked = true
	if !p.session.state.lastPanicked() { // one stack says it all, until it has gone well again
		crash.Log(p.collector.options.Logger, what, "target", r.Target, "session", r.Session)
	}
	return r
}
