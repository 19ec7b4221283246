package session

import (
	"context"
	"time"

	"hmp_exporter/internal/hmp"
)

// Probe implements [Source]. It sends at most one login and two questions about
// the session.
func (l *Login) Probe(ctx context.Context, far HMP) Report {
	deadline, _ := ctx.Deadline()
	p := &probe{Login: l, far: far, deadline: deadline, enough: time.Until(deadline) / 4}

	t := p.token(ctx)
	if t == nil {
		return p.report
	}
	p.ask(ctx, t)
	if !tokenRejected(p.report.Result) || time.Until(deadline) < p.enough {
		return p.report
	}
	if t = p.token(ctx); t != nil {
		p.ask(ctx, t)
	}
	return p.report
}

// A probe is one under way.
type probe struct {
	*Login
	far      HMP
	deadline time.Time
	// enough is the least time to begin another login with. One that is not
	// answered in time may leave a session behind that nobody knows of.
	enough time.Duration
	asked  bool // a question about the session has been answered
	report Report
}

// ask asks about the session of t, and learns from the answer.
func (p *probe) ask(ctx context.Context, t *token) {
	begun := time.Now()
	answer, next := p.far.Session(ctx, t.value)
	p.answered(answer)
	p.asked = true
	switch {
	case answer.Result == hmp.Valid:
		p.holder.accepted(t, next, begun, p.options.Lifetime)
	case tokenRejected(answer.Result):
		p.rejected(t, answer)
	}
}

// rejected gives t up, and holds logins back if HMP keeps rejecting what it handed
// out a moment before.
func (p *probe) rejected(t *token, answer hmp.Answer) {
	now := time.Now()
	excess := p.holder.rejected(t, now, p.options.Lifetime)
	if excess <= 0 {
		return
	}
	account, release := p.keyring.account(p.options.HMP, t.from.key)
	defer release()
	r := account.refuse(t.from.secret, answer, excess-1, now)
	p.holder.giveUp(nil, r.until)
	p.report.Reason = r.answer.Reason
}

// token returns the token to ask with, after a login if need be. Without one it
// returns nil, and the report says why.
func (p *probe) token(ctx context.Context) *token {
	from, err := p.credential(ctx)
	if err != nil {
		p.stop(Unreadable(err))
		return nil
	}
	t, now := p.holder.current().of(from), time.Now()
	if t.fresh(now, p.options.Lifetime) {
		p.holder.suspend(time.Time{}) // it may have been for another credential
		return t
	}
	if p.report.Login != "" {
		return nil // there was a login, and its token is gone
	}

	account, release := p.keyring.account(p.options.HMP, from.key)
	defer release()
	if !account.logins.TryAcquire(1) {
		if t.alive(now, p.options.Lifetime) {
			return t // the next probe can renew it
		}
		ctx, cancel := context.WithDeadline(ctx, p.deadline.Add(-p.enough))
		defer cancel()
		if account.logins.Acquire(ctx, 1) != nil {
			p.stop(waitedInVain)
			return nil
		}
	}
	defer account.logins.Release(1)
	if newer := p.holder.current().of(from); newer.fresh(time.Now(), p.options.Lifetime) {
		return newer // somebody else has just logged in
	}
	return p.login(ctx, account, from)
}

// login returns the token of a new login, or of an old session, or the one at hand
// if logins have to wait. No other login of the account is under way.
func (p *probe) login(ctx context.Context, account *account, from pair) *token {
	begun, before := time.Now(), p.holder.current()
	if t := p.spare(account, from, begun); t != nil {
		return p.install(account, t, before)
	}
	own := before.of(from)
	if t, wait := p.heldBack(account, from, own, begun); wait {
		return t
	}

	answer, value := p.far.Login(ctx, from.key, from.secret)
	now := time.Now()
	p.report.Login = answer.Result
	switch {
	case answer.Result == hmp.Valid:
		account.accept(from.secret)
		p.answered(answer)
		return p.install(account, newToken(value, from, begun), before)
	case loginRefused(answer.Result):
		r := account.refuse(from.secret, answer, 0, now)
		answer.Reason = r.answer.Reason
		p.holder.giveUp(before, r.until)
	default:
		p.holder.undecided(answer, now, p.deadline.Sub(begun), own != nil)
	}
	p.answered(answer)
	return nil
}

// install makes t the token of the session, or leaves it to others if the session
// is not configured any more. It returns t.
func (p *probe) install(account *account, t, before *token) *token {
	if retired := p.holder.install(t, before); retired {
		account.leaveSpare(t, p.options.Lifetime)
	}
	return t
}

// spare returns the token of a session that is not configured any more. Where a
// token has been rejected already, such a one is no safer than a login.
func (p *probe) spare(account *account, from pair, now time.Time) *token {
	if p.asked {
		return nil
	}
	return account.takeSpare(from.secret, now)
}

// heldBack tells whether a login has to wait, and returns the token t at hand if
// that is one to go on with. Else the report says what there is to wait for.
func (p *probe) heldBack(account *account, from pair, t *token, now time.Time) (*token, bool) {
	if r, ok := account.held(from.secret, now); ok {
		if r.times == 0 && t.alive(now, p.options.Lifetime) {
			return t, true // it is other secrets that are wrong
		}
		p.holder.suspend(r.until)
		p.stop(Report{Answer: r.answer, Held: true})
		return nil, true
	}
	answer, pauses := p.holder.pauses(now, p.deadline.Sub(now))
	if pauses && t == nil {
		p.stop(Report{Answer: answer, Held: true})
	}
	return t, pauses
}

// waitedInVain is the report of a probe that another one's login left no time for.
var waitedInVain = Report{
	Answer: hmp.Answer{Result: hmp.Saturated, Reason: "another login with the same key did not end in time"},
}

// answered takes an answer into the report, where it replaces the one before but
// for its exchanges, what that told of the connection, and that HMP does respond.
func (p *probe) answered(a hmp.Answer) {
	before := p.report.Answer
	a.Phases = before.Phases.Add(a.Phases)
	a.Exchanges = append(before.Exchanges, a.Exchanges...)
	if a.CertificateExpiry.IsZero() {
		a.CertificateExpiry = before.CertificateExpiry
	}
	if a.Result == hmp.Timeout && !a.Responded {
		a.Responded, a.StatusCode = before.Responded, before.StatusCode
	}
	p.report.Answer = a
}

// stop ends the probe where nothing can be sent. If something was, its answer has
// more to tell.
func (p *probe) stop(r Report) {
	if !p.asked {
		p.report = r
	}
}
