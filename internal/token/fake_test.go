package token

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// A call is one that the fake was sent.
type call struct {
	at             time.Time
	key, apiSecret string // of a login
	token          string // of a question about a session
	result         hmp.Result
}

func (c call) login() bool { return c.key != "" }

// A fake is an HMP. It decides when a call arrives, and answers when the time for
// that is over. How it behaves may change between calls.
type fake struct {
	lifetime  time.Duration // of its tokens
	rotating  bool          // each answer carries another one
	killing   bool          // which ends the one before
	word      string        // each answer carries this, which is not a token
	loginTime time.Duration // how long it takes to answer
	// They decide, unless they are nil or return a zero answer.
	onLogin, onSession func(call) hmp.Answer

	mu         sync.Mutex
	getTime    time.Duration
	secrets    map[string]string    // the right one of each key
	tokens     map[string]time.Time // when they end
	made       int                  // tokens so far
	calls      []call               // that were answered
	underWay   map[string]int       // logins by key
	mostAtOnce int
}

func newFake() *fake {
	return &fake{
		lifetime: 30 * time.Minute,
		secrets:  make(map[string]string), tokens: make(map[string]time.Time), underWay: make(map[string]int),
	}
}

// Session implements HMP.
func (f *fake) Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value) {
	c := call{at: time.Now(), token: token.Reveal()}
	if f.onSession != nil {
		c.result = f.onSession(c).Result
	}
	f.mu.Lock()
	takes, next := f.getTime, ""
	switch {
	case c.result != "":
	case !c.at.Before(f.tokens[c.token]):
		c.result = hmp.Unauthorized
	default:
		c.result, next = hmp.Valid, f.word
		if f.rotating {
			next = f.newToken(c.at)
		}
		if f.killing {
			delete(f.tokens, c.token)
		}
	}
	f.mu.Unlock()
	return f.answer(ctx, c, takes, answerOf(c.result), next)
}

// Login implements HMP.
func (f *fake) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	c := call{at: time.Now(), key: key.Reveal(), apiSecret: apiSecret.Reveal()}
	f.count(c, 1)
	defer f.count(c, -1)
	var a hmp.Answer
	if f.onLogin != nil {
		a = f.onLogin(c)
	}
	f.mu.Lock()
	token := ""
	if a.Result == "" {
		a = answerOf(hmp.LoginRejected)
		if f.secrets[c.key] == c.apiSecret {
			a, token = answerOf(hmp.Valid), f.newToken(c.at)
		}
	}
	f.mu.Unlock()
	return f.answer(ctx, c, f.loginTime, a, token)
}

// Wait implements HMP.
func (*fake) Wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *fake) newToken(at time.Time) string {
	f.made++
	token := fmt.Sprintf("%s-token-%d", canary.Word, f.made)
	f.tokens[token] = at.Add(f.lifetime)
	return token
}

// answer lets the time go by that an answer takes, or that the caller has.
func (f *fake) answer(ctx context.Context, c call, takes time.Duration, a hmp.Answer, token string) (hmp.Answer, secret.Value) {
	begun := time.Now()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		a = answerOf(hmp.Timeout)
	}
	a.Phases.Processing += time.Since(begun)
	a.Exchanges = []hmp.Exchange{{Method: map[bool]string{true: "POST", false: "GET"}[c.login()], Result: a.Result}}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.result = a.Result
	f.calls = append(f.calls, c)
	if a.Result != hmp.Valid || token == "" {
		return a, secret.Value{}
	}
	return a, secret.New(token)
}

// count counts the logins under way.
func (f *fake) count(c call, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.underWay[c.key] += by
	f.mostAtOnce = max(f.mostAtOnce, f.underWay[c.key])
}

// accept makes a secret the right one of a key.
func (f *fake) accept(key, apiSecret string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[key] = apiSecret
}

// restart ends all tokens.
func (f *fake) restart() { f.step(1000 * time.Hour) }

// step puts the clock of the HMP forward against that of this side. A machine that was
// suspended sees the same.
func (f *fake) step(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for token, end := range maps.Clone(f.tokens) {
		f.tokens[token] = end.Add(-d)
	}
}

// answerOf is how an HMP, or what is in between, comes to a result.
func answerOf(r hmp.Result) hmp.Answer {
	a := map[hmp.Result]hmp.Answer{
		hmp.Valid:           {StatusCode: 200},
		hmp.Unauthorized:    {StatusCode: 401, Code: hmp.UserNotAuthorized},
		hmp.NoRoles:         {StatusCode: 401, Code: hmp.UserNotAuthorized},
		hmp.LoginRejected:   {StatusCode: 401, Code: hmp.InvalidCredentials},
		hmp.AuthUnavailable: {StatusCode: 503, Code: hmp.ServiceUnavailable},
		hmp.HTTPError:       {StatusCode: 429},
	}[r]
	a.Result, a.Responded = r, a.StatusCode > 0
	return a
}

// always is a script that comes to the same every time; as usual for "".
func always(r hmp.Result) func(call) hmp.Answer {
	return func(call) hmp.Answer {
		if r == "" {
			return hmp.Answer{}
		}
		return answerOf(r)
	}
}
