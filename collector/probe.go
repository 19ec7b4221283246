package collector

import (
	"context"
	"strconv"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// probeTimeout returns how long a probe may take: its timeout, or less if the scrape has
// less time. The header X-Prometheus-Scrape-Timeout-Seconds has the time of the scrape. The
// offset is subtracted, at most half of the header, so that Prometheus still waits for the
// answer. An invalid header is ignored.
func probeTimeout(timeout time.Duration, header string, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || seconds >= (timeout+offset).Seconds() {
		return timeout
	}
	scrape := time.Duration(seconds * float64(time.Second))
	return max(1, min(timeout, max(scrape-offset, scrape/2)))
}

// A report is the part of a Result that the probe itself makes. Reports and results are passed
// by pointer, because each probe begins with a small stack.
type report = token.Report

// notStarted returns the report of a probe that got no slot in time.
func (p *sharedProbe) notStarted(hangs bool) *report {
	if hangs {
		r := p.localReport(hmp.Timeout, "no probe of this HMP was answered in time")
		r.Skipped = true
		return r
	}
	return p.localReport(hmp.Saturated, "")
}

// unreadableSecrets returns the report of a probe that could not read its secrets. A
// shortage of the exporter, such as no file descriptors, is Saturated.
func (p *sharedProbe) unreadableSecrets(err error) *report {
	if lack := hmp.Shortage(err); lack != "" {
		return p.localReport(hmp.Saturated, lack)
	}
	return p.localReport(hmp.Credentials, err.Error())
}

// localReport returns the report of a probe that the exporter ended by itself. The status
// of its logins is that of the last probe.
func (p *sharedProbe) localReport(result hmp.Result, reason string) *report {
	r := &report{Answer: hmp.Answer{Result: result, Reason: reason}}
	if last := p.session.state.lastResult(); last != nil && last.Logins != nil {
		r.Status = last.Logins.Status
	}
	return r
}

// run implements [task]. It recovers from a panic: the session then has no result, and the
// scrape and the process go on.
func (p *sharedProbe) run() (next *waiter) {
	p.slot = slot{limit: p.waiter.limit, granted: time.Now()}
	r := p.runProbe()
	requestVersion := p.finish(r)
	if requestVersion {
		close(p.done)
		p.slot.lend(r.feedback(), p.requestVersion)
	}
	next = p.slot.release(r.feedback())
	if !requestVersion {
		close(p.done) // last, so that the scrape goes on in the same thread
	}
	return next
}

// refused implements [task].
func (p *sharedProbe) refused(hangs bool) {
	p.finish(p.newResult(p.start, p.notStarted(hangs)))
	close(p.done)
}

func (p *sharedProbe) runProbe() (r *Result) {
	defer func() {
		if what := recover(); what != nil {
			r = p.panicked(what)
		}
	}()
	if !p.slot.granted.Before(p.deadline()) { // the probe had a slot, but the machine was too slow
		return p.newResult(p.start, p.notStarted(false))
	}
	metrics := &p.collector.metrics
	metrics.inFlight.Inc()
	defer metrics.inFlight.Dec()
	ctx, cancel := context.WithDeadline(context.Background(), p.deadline())
	defer cancel()
	if r = p.newResult(p.slot.granted, p.probe(ctx)); r.sent() {
		metrics.duration.Observe(r.Duration.Seconds())
	}
	return r
}

// probe reads the secrets and sends the requests.
func (p *sharedProbe) probe(ctx context.Context) *report {
	p.stage.Store(readingSecrets)
	err := p.readSecrets(ctx)
	p.stage.Store(waitingForSlot)
	switch {
	case err != nil:
		return p.unreadableSecrets(err)
	case !p.slot.regain(p.deadline()):
		return p.notStarted(p.waiter.limit.isHanging(p.start))
	}
	p.stage.Store(probing)
	if !p.session.KeyMode() {
		p.report.Answer, _ = p.Session(ctx, p.secrets.token)
		return &p.report
	}
	return p.probeWithKey(ctx)
}

// probeWithKey is probe for a session with an API key.
func (p *sharedProbe) probeWithKey(ctx context.Context) *report {
	return p.collector.tokens.Probe(ctx, token.ProbeRequest{
		Credential: p.session.credential(p.secrets),
		Lifetime:   p.session.target.TokenLifetime,
		MayLogin:   !p.brief,
	}, p)
}

// readSecrets reads the secrets. If the disk is slow, other probes get the slot meanwhile.
func (p *sharedProbe) readSecrets(ctx context.Context) (err error) {
	if !p.session.hasSecretFiles {
		p.secrets, err = p.session.readSecrets(ctx)
		return err
	}
	p.slot.lend(noFeedback, func() { p.secrets, err = p.session.readSecrets(ctx) })
	return err
}

var _ token.HMP = (*sharedProbe)(nil)

// Session implements [token.HMP].
func (p *sharedProbe) Session(ctx context.Context, t secret.Value) (answer hmp.Answer, next secret.Value) {
	answer, next = p.session.target.client.Session(ctx, hmp.SessionRequest{
		Token:      t,
		Secrets:    p.secrets.ofLogin(),
		Header:     p.secrets.header,
		OnResponse: p.responded,
	})
	p.sent, p.confirmed = t, t
	if !next.IsZero() {
		p.confirmed = next
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
	p.slot.lend(noFeedback, func() {
		select {
		case <-done:
			ended = true
		case <-ctx.Done():
		}
	})
	return p.slot.regain(p.deadline()) && ended
}

func (p *sharedProbe) responded(status int) { p.status.Store(int64(status)) }

// newResult returns the result of a probe that ends now, without counters.
func (p *sharedProbe) newResult(start time.Time, r *report) *Result {
	timeout := p.timeout
	// A difference below 2 % is ignored. Otherwise the metric would change at every scrape.
	if left := p.deadline().Sub(start); left < timeout-timeout/50 {
		timeout = left
	}
	result := &Result{
		Target:   p.session.target.Name,
		Session:  p.session.Name,
		Answer:   r.Answer,
		Skipped:  r.Skipped,
		Start:    start,
		Duration: time.Since(start),
		Timeout:  timeout,
	}
	if p.session.KeyMode() {
		result.Logins = &Logins{Status: r.Status, Last: r.Login}
	}
	return result
}

// panicked returns the result of a probe that ended in a panic of the exporter.
func (p *sharedProbe) panicked(what any) *Result {
	p.collector.metrics.panics.Inc()
	r := p.newResult(p.slot.granted, p.localReport("", logging.DescribePanic(what)))
	r.Panicked = true
	if last := p.session.state.lastResult(); last == nil || !last.Panicked { // log one stack until a probe succeeds again
		logging.Panic(p.collector.options.Logger, what, "target", r.Target, "session", r.Session)
	}
	return r
}
