package collector

import (
	"context"
	"fmt"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// run runs the probe. The limiter calls it in a goroutine, once there is a slot. It returns
// the waiter that gets the slot next, for the same goroutine.
func (p *sharedProbe) run() (next *waiter) {
	p.slot = slot{limiter: p.waiter.limiter, granted: time.Now()}
	r := p.runProbe()
	versionDue := p.end(r)
	if versionDue {
		close(p.done)                                        // the scrapes do not wait for the version
		p.slot.releaseIfSlow(r.feedback(), p.requestVersion) // another probe gets the slot if it is slow
	}
	next = p.slot.release(r.feedback()) // unless releaseIfSlow has released it
	if !versionDue {
		close(p.done) // last, so that the scrape goes on in the same thread
	}
	return next
}

// refused ends a probe that got no slot in time. The limiter calls it instead of run.
func (p *sharedProbe) refused(hmpHangs bool) {
	p.end(p.newResult(p.start, p.notStarted(hmpHangs)))
	close(p.done)
}

// end sets the result, counts it, records it in the history and logs a change. It returns
// whether a request for the version is due. The scrapes get the result when done is closed.
func (p *sharedProbe) end(r *Result) (versionDue bool) {
	p.result = r
	p.session.state.probeEnded(p) // later scrapes start a new probe
	if p.short {
		return false
	}
	validAgain := p.session.state.record(p)
	return r.Valid() && p.session.target.version.beginRequest(validAgain)
}

// runProbe returns the result of the probe. It recovers from a panic: the session then has no
// result, and the scrape and the process go on.
func (p *sharedProbe) runProbe() (r *Result) {
	start := p.slot.granted // of the first slot; the probe may get another later
	defer func() {
		if value := recover(); value != nil {
			r = p.panicked(start, value)
		}
	}()
	if !start.Before(p.deadline()) { // the machine was too slow
		return p.newResult(p.start, p.notStarted(false))
	}
	metrics := &p.collector.metrics
	metrics.inFlight.Inc()
	defer metrics.inFlight.Dec()
	ctx, cancel := context.WithDeadline(context.Background(), p.deadline())
	defer cancel()
	if r = p.newResult(start, p.probe(ctx)); r.sent() {
		metrics.duration.Observe(r.Duration.Seconds())
	}
	return r
}

// probe reads the secrets and sends the requests. What it returns becomes the result.
func (p *sharedProbe) probe(ctx context.Context) *token.Report {
	p.stage.Store(readingSecrets)
	err := p.readSecrets(ctx)
	p.stage.Store(waitingForSlot) // in case the reading took long, and another probe has the slot
	switch {
	case err != nil:
		return p.unreadableSecrets(err)
	case !p.slot.reacquire(p.deadline()):
		return p.notStarted(p.waiter.limiter.hangs(p.start))
	}
	if !p.session.KeyMode() {
		report := new(token.Report)
		report.Answer, _ = p.GetSession(ctx, p.secrets.token)
		return report
	}
	return p.probeWithKey(ctx)
}

// probeWithKey is probe for a session with an API key. The manager gets a token, perhaps by
// [sharedProbe.Login], and calls [sharedProbe.GetSession] with it.
func (p *sharedProbe) probeWithKey(ctx context.Context) *token.Report {
	return p.collector.tokens.Probe(ctx, token.ProbeRequest{
		Credential: p.session.credential(p.secrets),
		Lifetime:   p.session.target.TokenLifetime,
		MayLogin:   !p.short, // the scrape has time for a login
	}, p)
}

// readSecrets reads the secrets. If the disk is slow, another probe gets the slot.
func (p *sharedProbe) readSecrets(ctx context.Context) (err error) {
	if !p.session.hasSecretFiles {
		p.secrets, err = p.session.readSecrets(ctx)
		return err
	}
	p.slot.releaseIfSlow(noFeedback, func() { p.secrets, err = p.session.readSecrets(ctx) })
	return err
}

var (
	_ task      = (*sharedProbe)(nil)
	_ token.HMP = (*sharedProbe)(nil)
)

// GetSession asks the HMP about the session of a token. For sessions with an API key, it
// implements [token.HMP].
func (p *sharedProbe) GetSession(ctx context.Context, t secret.Value) (answer hmp.Answer, next secret.Value) {
	p.stage.Store(sending)
	answer, next = p.session.target.client.GetSession(ctx, hmp.SessionRequest{
		Token:      t,
		Secrets:    p.secrets.ofLogin(), // to mask
		Header:     p.secrets.header,
		OnResponse: p.responded,
	})
	p.sent, p.next = t, t
	if !next.IsZero() {
		p.next = next
	}
	return answer, next
}

// Login logs in with the API key. It implements [token.HMP].
func (p *sharedProbe) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	p.stage.Store(sending)
	return p.session.target.client.Login(ctx, hmp.LoginRequest{
		Key:        key,
		Secret:     apiSecret,
		Header:     p.secrets.header,
		OnResponse: p.responded,
	})
}

// Wait waits for the login of another probe. It implements [token.HMP].
func (p *sharedProbe) Wait(ctx context.Context, done <-chan struct{}) (noSlot hmp.Answer, ok bool) {
	p.stage.CompareAndSwap(waitingForSlot, waitingForLogin)
	p.slot.releaseIfSlow(noFeedback, func() {
		select {
		case <-done:
		case <-ctx.Done():
		}
	})
	p.stage.CompareAndSwap(waitingForLogin, waitingForSlot)
	switch {
	case !time.Now().Before(p.deadline()): // also if the login was cut off at the same deadline
		return hmp.Answer{}, false
	case !p.slot.reacquire(p.deadline()):
		return p.notStarted(p.waiter.limiter.hangs(p.start)).Answer, false
	default:
		return hmp.Answer{}, true
	}
}

// responded takes the status of a response before its body has arrived, for callers whose
// deadline ends meanwhile.
func (p *sharedProbe) responded(status int) { p.status.Store(int64(status)) }

// newResult returns the result of a probe that began at start and ends now, without counters.
// Reports and results are passed by pointer, because each probe begins with a small stack.
func (p *sharedProbe) newResult(start time.Time, report *token.Report) *Result {
	timeout := p.timeout
	// A difference below 2 % is ignored. Otherwise the metric would change at every scrape.
	if left := p.deadline().Sub(start); left < timeout-timeout/50 {
		timeout = left
	}
	result := &Result{
		Target:   p.session.target.Name,
		Session:  p.session.Name,
		Answer:   report.Answer,
		Skipped:  report.Skipped,
		Start:    start,
		Duration: time.Since(start),
		Timeout:  timeout,
	}
	if p.session.KeyMode() {
		result.Logins = &Logins{Status: report.Status, InProbe: report.Login}
	}
	return result
}

// notStarted returns the report of a probe that got no slot in time.
func (p *sharedProbe) notStarted(hmpHangs bool) *token.Report {
	if hmpHangs {
		r := p.localReport(hmp.Timeout, "no probe of this HMP was answered in time")
		r.Skipped = true
		return r
	}
	if most := p.session.target.MaxConcurrent; most > 0 {
		return p.localReport(hmp.Saturated, fmt.Sprintf("there was no free slot in time; the target has max_concurrent: %d", most))
	}
	return p.localReport(hmp.Saturated, "")
}

// unreadableSecrets returns the report of a probe that could not read its secrets. A
// shortage of the exporter, such as no file descriptors, is Saturated.
func (p *sharedProbe) unreadableSecrets(err error) *token.Report {
	if lack := hmp.Shortage(err); lack != "" {
		return p.localReport(hmp.Saturated, lack)
	}
	return p.localReport(hmp.Credentials, err.Error())
}

// localReport returns the report of a probe that the exporter ended by itself. The status
// of its logins is that of the last probe.
func (p *sharedProbe) localReport(name hmp.Result, reason string) *token.Report {
	r := &token.Report{Answer: hmp.Answer{Result: name, Reason: reason}}
	if last := p.session.state.lastResult(); last != nil && last.Logins != nil {
		r.Status = last.Logins.Status
	}
	return r
}

// panicked returns the result of a probe that ended in a panic of the exporter.
func (p *sharedProbe) panicked(start time.Time, value any) *Result {
	p.collector.metrics.panics.Inc()
	r := p.newResult(start, p.localReport("", logging.DescribePanic(value)))
	r.Panicked = true
	if last := p.session.state.lastResult(); last == nil || !last.Panicked { // the first panic in a row
		logging.Panic(p.collector.options.Logger, value, "target", r.Target, "session", r.Session)
	}
	return r
}
