package token

import (
	"context"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// HMP is the server of one probe. Its calls end by the deadline that ctx must have.
type HMP interface {
	// Session asks about the session of a token. The secret is another token
	// that came with the answer; it is zero if none did.
	Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value)
	// Login opens a session. The secret is its token; it is zero unless the answer is valid.
	Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value)
	// Wait waits until done is closed. It reports false if ctx ended first. The
	// caller's place among the probes is free for others meanwhile.
	Wait(ctx context.Context, done <-chan struct{}) bool
}

// A Report is what a probe ended in. Like an [hmp.Answer] it holds no secret.
type Report struct {
	// Answer is the one that the probe ended with. Its phases are those of all
	// exchanges of the probe together, and it has all of these.
	hmp.Answer
	// Login is what a login ended in that this probe made. It is "" without one.
	Login hmp.Result
	// Held is true if the probe sent nothing, because it had no token and could not
	// make a login. Result, Code and Reason say what prevents the login.
	Skipped bool
	// Status is how the logins stand after the probe.
	Status Status
}

var (
	loginTimedOut = hmp.Answer{Result: hmp.Timeout, Reason: "the login of the same key was not answered in time"}
	tooLittleTime = hmp.Answer{Result: hmp.Saturated, Reason: "there is no token, and the scrape left too little time for a login"}
	// panicked holds the next logins back after one that this side broke off.
	loginPanicked = hmp.Answer{Result: hmp.Saturated, Reason: "the last login of this key ended in an internal error of the exporter"}
)

// A probe is one under way.
type probe struct {
	manager    *Manager
	credential *credential
	request    Request
	hmp        HMP
	deadline   time.Time
	// enough is the least time to begin another call with. A login that is not
	// answered in time may leave a session behind that nobody knows of.
	minCallTime time.Duration
	sent        bool
	waited      bool // for another probe's login
	report      Report
}

func (p *probe) left() time.Duration { return time.Until(p.deadline) }

func (p *probe) run(ctx context.Context) {
	t := p.acquireToken(ctx)
	if t == nil {
		return
	}
	p.checkSession(ctx, t)
	if !rejected(p.report.Result) || p.left() < p.minCallTime {
		return
	}
	if t = p.acquireToken(ctx); t != nil {
		p.checkSession(ctx, t)
	}
}

// ask asks about the session of t, and learns from the answer.
func (p *probe) checkSession(ctx context.Context, t *token) {
	begun := time.Now()
	answer, next := p.hmp.Session(ctx, t.value)
	p.addAnswer(answer)

	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	switch {
	case answer.Result == hmp.Valid:
		p.credential.confirm(t, next, begun)
	case rejected(answer.Result):
		discarded := p.credential.discard(t, answer, time.Now())
		if discarded && p.report.Login == "" {
			p.credential.backoff.clear() // HMP decides again
		}
	}
}

// rejected tells whether an answer says that HMP does not accept the token.
func rejected(r hmp.Result) bool { return r == hmp.Unauthorized || r == hmp.NoRoles }

// token returns the token to ask with, after a login if that is necessary. If there
// is none it returns nil, and the report says why.
func (p *probe) acquireToken(ctx context.Context) *token {
	for {
		s := p.next()
		switch {
		case s.login:
			return p.logIn(ctx, s.token)
		case s.wait == nil:
			if s.token == nil {
				p.endWithoutToken(s.reason)
			}
			return s.token
		}
		p.waited = true
		if !p.hmp.Wait(ctx, s.wait) {
			p.endWithoutToken(p.tooLate())
			return nil
		}
	}
}

// A step is what a probe does to get a token: it logs in, or it waits, or it goes on
// with the token at hand. Without a token it ends, and why is the reason.
type step struct {
	token  *token
	login  bool
	wait   <-chan struct{}
	reason hmp.Answer
}

// next decides on the next step. If that is a login, the login is under way from now on.
func (p *probe) next() step {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	c, now, lifetime := p.credential, time.Now(), p.request.Lifetime
	t := c.token
	if t.fresh(now, lifetime) {
		c.retry = false
		return step{token: t}
	}
	why, held := c.loginBlocked(now, lifetime, p.loginTime(t, now))
	switch {
	case held:
		return step{token: t, reason: why}
	case p.report.Login != "":
		return step{token: t} // a probe makes one login at most
	case c.key.loginDone != nil && t.alive(now, lifetime):
		return step{token: t} // another probe renews it
	case c.key.loginDone != nil:
		return step{wait: c.key.loginDone}
	case !p.request.MayLogin || p.left() < p.minCallTime:
		return step{token: t, reason: p.tooLate()}
	}
	c.retry = false
	c.key.loginDone = make(chan struct{})
	return step{token: t, login: true}
}

// loginTime is how long a login may take. If a token still lives, half of the time is
// kept for asking with it.
func (p *probe) loginTime(t *token, now time.Time) time.Duration {
	if t.alive(now, p.request.Lifetime) {
		return p.left() / 2
	}
	return p.left()
}

// logIn makes the login that [probe.next] decided on. It returns the new token, or the
// one at hand if the login failed, or nil if there is none.
func (p *probe) logIn(ctx context.Context, at *token) (next *token) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, p.loginTime(at, begun))
	defer cancel()
	answer, value := loginPanicked, secret.Value{}
	// This also runs if the login panics, so that nobody waits for ever.
	defer func() { next = p.finishLogin(answer, value, begun) }()
	answer, value = p.hmp.Login(ctx, p.request.Credential.Key, p.request.Credential.Secret)
	return nil
}

// loggedIn notes how a login ended, and releases the probes that wait for it.
func (p *probe) finishLogin(answer hmp.Answer, value secret.Value, begun time.Time) *token {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	c, now := p.credential, time.Now()
	close(c.key.loginDone)
	c.key.loginDone = nil

	switch answer.Result {
	case hmp.Valid:
		c.setToken(&token{value: value, loginAt: begun, issued: begun, jitter: newJitter()}, now, p.request.Lifetime)
	case hmp.LoginRejected, hmp.NoRoles:
		c.recordRefusal(answer, now)
		held, _ := c.lockedOut(now)
		answer.Reason = held.Reason
	default:
		c.backoff.recordFailure(now, answer, now.Sub(begun))
	}
	p.report.Login = answer.Result
	if answer.Result == hmp.Saturated && p.sent {
		answer.Result, answer.Reason = p.report.Result, p.report.Reason // HMP's answer says more than that nothing was sent
		answer.Code, answer.Responded, answer.StatusCode = p.report.Code, p.report.Responded, p.report.StatusCode
	}
	p.addAnswer(answer)
	if answer.Result != hmp.Valid && p.left() < p.minCallTime {
		return nil
	}
	return c.token
}

// tooLate is why a probe ends that has no token and too little time for a login. It is
// zero if HMP's answer says more.
func (p *probe) tooLate() hmp.Answer {
	switch {
	case p.waited && p.request.MayLogin:
		return loginTimedOut
	case p.sent:
		return hmp.Answer{}
	default:
		return tooLittleTime
	}
}

// answered takes an answer into the report. It replaces the one before, except for the
// exchanges and what they told of the connection, and that HMP does respond.
func (p *probe) addAnswer(a hmp.Answer) {
	p.sent = true
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

// stop ends a probe that has no token. What prevents the login decides the result,
// also if HMP has rejected a token in this probe.
func (p *probe) endWithoutToken(why hmp.Answer) {
	switch {
	case !p.sent:
		p.report.Answer, p.report.Skipped = why, true
	case why.Result != "":
		why.Responded, why.StatusCode = p.report.Responded, p.report.StatusCode
		p.addAnswer(why)
	}
}

// repeatable is what can be repeated of an answer while nothing is sent: not what
// belongs to the exchange.
func repeatable(a hmp.Answer) hmp.Answer {
	return hmp.Answer{Result: a.Result, Code: a.Code, Reason: a.Reason}
}
