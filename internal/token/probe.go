package token

import (
	"context"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// HMP is the server of one probe. ctx must have a deadline, and each call ends by it.
type HMP interface {
	// GetSession asks about the session of a token. The secret is a new token in the
	// answer, zero if there is none.
	GetSession(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value)
	// Login opens a session. The secret is its token, zero unless the answer is valid.
	Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value)
	// Wait waits until done is closed. It returns false if ctx ends first. Another probe may
	// use the caller's slot meanwhile. If there is no slot afterwards, Wait returns false and
	// the answer for the probe.
	Wait(ctx context.Context, done <-chan struct{}) (noSlot hmp.Answer, ok bool)
}

// A Report is the result of a probe. Like an [hmp.Answer] it holds no secret.
type Report struct {
	// Answer is the last answer. It has all exchanges of the probe and the sum of their
	// phases.
	hmp.Answer
	// Login is the result of the login that this probe sent, "" if it sent none.
	Login hmp.Result
	// Skipped is true if the probe sent nothing, because it had no token and could not
	// log in. Result, Code and Reason say what prevents the login.
	Skipped bool
	// Status is the status of the credential after the probe.
	Status Status
}

var (
	// LoginTimedOut is the answer of a probe whose time ended while it waited for the login of another probe.
	LoginTimedOut = hmp.Answer{Result: hmp.Timeout, Reason: "another login of the same key took too long"}
	tooLittleTime = hmp.Answer{Result: hmp.Saturated, Reason: "there is no token, and the scrape left too little time for a login"}
	// loginPanicked delays the next login after the exporter panicked during one.
	loginPanicked = hmp.Answer{Result: hmp.Saturated, Reason: "the last login of this key ended in an internal error of the exporter"}
)

// A probe is one call of [Manager.Probe].
type probe struct {
	manager    *Manager
	credential *credentialState
	request    ProbeRequest
	hmp        HMP
	deadline   time.Time
	// minCallTime is the minimum time for another call, a quarter of the probe's time. A login
	// that HMP does not answer in time may leave a session behind.
	minCallTime time.Duration
	sent        bool // a call to HMP
	report      Report
}

func (p *probe) left() time.Duration { return time.Until(p.deadline) }

// run asks about the session. If HMP rejects the token, it asks again with another token.
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

// checkSession asks about the session of t and updates the credential.
func (p *probe) checkSession(ctx context.Context, t *token) {
	begun := time.Now()
	answer, next := p.hmp.GetSession(ctx, t.value)
	p.addAnswer(answer)

	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	switch {
	case answer.Result == hmp.Valid:
		p.credential.rotate(t, next, begun)
	case rejected(answer.Result):
		discarded := p.credential.discard(t, answer, time.Now())
		if discarded && p.report.Login == "" { // otherwise the login of this probe has just failed
			p.credential.backoff.endPause() // HMP works again, so the next login need not wait
		}
	}
}

// rejected reports whether a result means that HMP does not accept the token.
func rejected(r hmp.Result) bool { return r == hmp.Unauthorized || r == hmp.NoRoles }

// acquireToken returns the token to send, after a login if necessary. If there is none,
// it returns nil and the report says why.
func (p *probe) acquireToken(ctx context.Context) *token {
	for {
		s := p.nextStep()
		switch {
		case s.login:
			return p.logIn(ctx, s.token)
		case s.wait != nil:
			answer, ok := p.hmp.Wait(ctx, s.wait)
			if ok {
				continue
			}
			if answer.Result == "" {
				answer = LoginTimedOut
			}
			p.endWithoutToken(answer)
			return nil
		case s.token == nil:
			p.endWithoutToken(s.answer)
			return nil
		default:
			return s.token
		}
	}
}

// A step is what a probe does next to get a token. It logs in, or it waits for another
// probe's login, or it uses the current token, even one whose lifetime is over: HMP may still
// accept it. If there is no token, it ends with the answer.
type step struct {
	token  *token // the current one, or nil
	login  bool
	wait   <-chan struct{}
	answer hmp.Answer
}

// nextStep returns the next step. If it is a login, the login is under way from now on.
func (p *probe) nextStep() step {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	c, now, lifetime := p.credential, time.Now(), p.request.Lifetime
	t := c.token
	// HMP can refuse the secret, and still replace the token in its answers.
	retryRefused := c.retry && c.refusal.answer.Result != ""
	if t.fresh(now, lifetime) && !retryRefused {
		c.retry = false
		return step{token: t}
	}
	answer, blocked := c.loginBlocked(now, lifetime, p.loginTime(t, now))
	switch {
	case blocked:
		return step{token: t, answer: answer}
	case p.report.Login != "":
		return step{token: t} // a probe makes one login at most
	case c.key.loginDone != nil && t.alive(now, lifetime):
		return step{token: t} // another probe renews it
	case c.key.loginDone != nil:
		return step{wait: c.key.loginDone}
	case !p.request.MayLogin || p.left() < p.minCallTime:
		return step{token: t, answer: tooLittleTime}
	}
	c.retry = false
	c.key.loginDone = make(chan struct{})
	return step{token: t, login: true}
}

// loginTime returns how long a login may take. If a token still lives, half of the time is
// left for a request with it.
func (p *probe) loginTime(t *token, now time.Time) time.Duration {
	if t.alive(now, p.request.Lifetime) {
		return p.left() / 2
	}
	return p.left()
}

// logIn sends the login that [probe.nextStep] decided on. It returns the token to send.
func (p *probe) logIn(ctx context.Context, current *token) (t *token) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, p.loginTime(current, begun))
	defer cancel()
	answer, value := loginPanicked, secret.Value{}
	// The login is finished even if it panics. Otherwise other probes would wait for ever.
	defer func() { t = p.finishLogin(answer, value, begun) }()
	answer, value = p.hmp.Login(ctx, p.request.Credential.Key, p.request.Credential.Secret)
	return nil // the deferred function sets t
}

// finishLogin records the result of a login and wakes the probes that wait for it. It returns
// the token to send: the new one, or the one before if the login failed and there is time to
// send it. It returns nil if there is none.
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
		c.recordRefusal(answer, now) // the secret waits half an hour, without roles a minute, or for Retry-After
		lockout, _ := c.lockedOut(now)
		answer.Reason = lockout.Reason
	default:
		c.backoff.recordFailure(now, answer, now.Sub(begun)) // the next login waits up to a minute, or half an hour if HMP asked for it
	}
	p.report.Login = answer.Result
	if answer.Result == hmp.Saturated && p.sent {
		answer.Result, answer.Reason = p.report.Result, p.report.Reason // HMP's earlier answer says more
		answer.Code, answer.Responded, answer.StatusCode = p.report.Code, p.report.Responded, p.report.StatusCode
	}
	p.addAnswer(answer)
	if answer.Result != hmp.Valid && p.left() < p.minCallTime {
		return nil
	}
	return c.token
}

// addAnswer puts an answer into the report in place of the one before. It keeps the earlier
// exchanges, phases and certificate. If a call times out without a response, it also keeps
// the earlier status.
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

// endWithoutToken ends a probe that has no token. The answer says what prevents the login.
// It decides the result, even if HMP has rejected a token in this probe.
func (p *probe) endWithoutToken(answer hmp.Answer) {
	switch {
	case !p.sent:
		p.report.Answer, p.report.Skipped = answer, true
	case answer.Result == "" || answer.Result == hmp.Saturated: // HMP's answer says more
	default:
		answer.Responded, answer.StatusCode = p.report.Responded, p.report.StatusCode
		p.addAnswer(answer)
	}
}
