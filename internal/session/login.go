package session

import (
	"context"
	"time"

	"hmp_exporter/internal/hmp"
)

// A Login is the [Source] of a session that logs in with an API key. A [Keyring]
// makes it.
type Login struct {
	options LoginOptions
	keyring *Keyring
	*holder
}

// Status implements [Source].
func (l *Login) Status() (Status, bool) { return l.status(time.Now()), true }

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
	if !rejected(p.report.Outcome) || p.late() {
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
	enough   time.Duration // to begin another login with
	asked    bool          // a question about the session has been answered
	report   Report
}

// ask asks about the session of t, and learns from the answer.
func (p *probe) ask(ctx context.Context, t *token) {
	begun := time.Now()
	answer, next := p.far.Session(ctx, t.value)
	p.answered(answer)
	p.asked = true
	switch now := time.Now(); {
	case answer.Outcome == hmp.Valid:
		p.confirm(t, next, begun)
	case rejected(answer.Outcome):
		if excess := p.reject(t, now); excess > 0 {
			account, release := p.keyring.account(p.options.HMP, t.from.key)
			defer release()
			r := account.refuse(t.from.secret, answer, excess, now)
			p.refuse(nil, r.until)
			p.report.Reason = r.answer.Reason
		}
	}
}

// token returns the token to ask with, after a login if need be. Without one it
// returns nil, and the report says why.
func (p *probe) token(ctx context.Context) *token {
	from, err := p.credential()
	now, t := time.Now(), p.current()
	switch {
	case err != nil && t.alive(now):
		return t // somebody may be writing the file at this moment
	case err != nil:
		p.stop(Report{Answer: hmp.Answer{Outcome: hmp.Credentials, Reason: err.Error()}})
		return nil
	case t.fresh(now) && t.from.equal(from):
		return t
	case p.report.Login != "":
		return nil // there was a login, and its token is gone
	}

	account, release := p.keyring.account(p.options.HMP, from.key)
	defer release()
	if !account.tryEnter() {
		if t.alive(now) && t.from.equal(from) {
			return t // the next probe can renew it
		}
		ctx, cancel := context.WithDeadline(ctx, p.deadline.Add(-p.enough))
		defer cancel()
		if !account.enter(ctx) {
			p.stop(waitedInVain)
			return nil
		}
	}
	defer account.leave()
	if newer := p.current(); newer != t && newer.fresh(time.Now()) && newer.from.equal(from) {
		return newer // somebody else has just logged in
	}
	return p.login(ctx, account, from)
}

// login returns the token of a new login, or of an old session, or the one at hand
// if logins have to wait. The caller has entered the account.
func (p *probe) login(ctx context.Context, account *account, from pair) *token {
	begun, before := time.Now(), p.current()
	if t := account.takeSpare(from.secret, begun); t != nil {
		p.install(t, before)
		return t
	}
	if t, wait := p.wait(account, from, before, begun); wait {
		return t
	}

	answer, value := p.far.Login(ctx, from.key, from.secret)
	now := time.Now()
	p.report.Login = answer.Outcome
	switch {
	case answer.Outcome == hmp.Valid:
		account.accept(from.secret)
		t := newToken(value, from, begun, p.options.Lifetime)
		if retired := p.install(t, before); retired {
			account.leaveSpare(t)
		}
		p.answered(answer)
		return t
	case refused(answer.Outcome):
		r := account.refuse(from.secret, answer, 0, now)
		answer.Reason = r.answer.Reason
		p.refuse(before, r.until)
	default:
		p.failed(now, answer, p.deadline.Sub(begun))
	}
	p.answered(answer)
	return nil
}

// wait tells whether a login has to wait, and returns the token t at hand if that
// is one to go on with. Else the report says what there is to wait for.
func (p *probe) wait(account *account, from pair, t *token, now time.Time) (*token, bool) {
	if r, ok := account.held(from.secret, now); ok {
		if r.times == 0 && t.alive(now) && t.from.equal(from) {
			return t, true // it is other secrets that are wrong
		}
		p.suspend(r.until)
		p.stop(Report{Answer: r.answer, Held: true})
		return nil, true
	}
	answer, wait := p.waits(now, p.deadline.Sub(now))
	if wait && t == nil {
		p.stop(Report{Answer: answer, Held: true})
	}
	return t, wait
}

// waitedInVain is the report of a probe that another one's login left no time for.
var waitedInVain = Report{
	Answer: hmp.Answer{Outcome: hmp.Timeout, Reason: "another login with the same key did not end in time"},
	Held:   true,
}

// late tells whether there is too little time left to begin another login. One that
// is not answered in time may leave a session behind that nobody knows of.
func (p *probe) late() bool { return time.Until(p.deadline) < p.enough }

// credential reads the key and its secret.
func (p *probe) credential() (from pair, err error) {
	if from.key, err = p.options.Key.Read(); err != nil {
		return pair{}, err
	}
	from.secret, err = p.options.Secret.Read()
	return from, err
}

// answered takes an answer into the report, where it replaces the one before.
func (p *probe) answered(a hmp.Answer) {
	a.Phases = p.report.Phases.Add(a.Phases)
	if a.CertificateExpiry.IsZero() {
		a.CertificateExpiry = p.report.CertificateExpiry
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
