package token

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key       = canary.Word + "-key"
	apiSecret = canary.Word + "-secret"
	wrong     = canary.Word + "-wrong"
	interval  = 15 * time.Second // of scrapes
)

// with returns a credential.
func with(key, apiSecret string) Credential {
	return Credential{HMP: "http://hmp.example:80", Key: secret.New(key), Secret: secret.New(apiSecret)}
}

// withWrong returns a credential with one of many wrong secrets.
func withWrong(n int) Credential { return with(key, fmt.Sprintf("%s-%d", wrong, n)) }

// A rig is a manager and a fake HMP that knows one key. It runs in a synctest bubble.
type rig struct {
	*fakeHMP
	manager      Manager
	t            *testing.T
	request      ProbeRequest // without the credential
	timeout      time.Duration
	extraRefused int // refused logins beyond the limit, for checkCalls
	all          []call
}

func inBubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeHMP{lifetime: 30 * time.Minute, secrets: make(map[string]string), tokens: make(map[string]time.Time), underWay: make(map[string]int)}
		r := &rig{fakeHMP: f, t: t, request: ProbeRequest{Lifetime: 30 * time.Minute, MayLogin: true}, timeout: 10 * time.Second}
		r.accept(key, apiSecret)
		t.Cleanup(r.checkCalls)
		test(t, r)
	})
}

// advance lets time pass in a bubble.
func advance(d time.Duration) {
	time.Sleep(d) // the fake clock
}

// sent returns the calls since it was last called.
func (r *rig) sent() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.all, r.calls = append(r.all, calls...), nil
	return calls
}

func (r *rig) logins() []call {
	return slices.DeleteFunc(r.sent(), func(c call) bool { return !c.isLogin() })
}

// checkCalls checks the promises of every test: one login of a key at a time, at most five
// refused logins of a key within an hour, and no secret in a print of the manager.
func (r *rig) checkCalls() {
	r.sent()
	if r.mostAtOnce > 1 {
		r.t.Errorf("%d logins with one key at once", r.mostAtOnce)
	}
	canary.CheckValue(r.t, "the manager", &r.manager)
	refused := make(map[string][]time.Time)
	for _, c := range r.all {
		if c.result != hmp.LoginRejected {
			continue
		}
		refused[c.key] = append(refused[c.key], c.at)
		times := refused[c.key]
		if most := 5 + r.extraRefused; len(times) > most && c.at.Sub(times[len(times)-1-most]) < time.Hour {
			r.t.Errorf("more than %d refused logins within an hour", most)
		}
	}
}

func (r *rig) probe(c Credential) Report { return r.probeWithin(c, r.timeout) }

// probeWithin checks the promises of every probe: one login and two GETs at most, and a report
// that fits to them.
func (r *rig) probeWithin(c Credential, timeout time.Duration) Report {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	request := r.request
	request.Credential = c
	report := *r.manager.Probe(ctx, request, r.fakeHMP)
	canary.Check(r.t, "the reason", report.Reason)
	logins, gets := 0, 0
	for _, x := range report.Exchanges {
		if x.Method == "POST" {
			logins++
		} else {
			gets++
		}
	}
	if logins > 1 || gets > 2 || (logins == 1) != (report.Login != "") {
		r.t.Errorf("a probe with %d logins, reported as %q, and %d GETs", logins, report.Login, gets)
	}
	if report.Skipped != (logins+gets == 0) || report.Skipped && (report.StatusCode != 0 || report.Responded || report.Phases != hmp.Phases{}) {
		r.t.Errorf("skipped is %v after %d logins and %d GETs: %+v", report.Skipped, logins, gets, report)
	}
	return report
}

// scrape probes at an interval for some time.
func (r *rig) scrape(c Credential, interval, duration time.Duration) (reports []Report) {
	r.t.Helper()
	for next, end := time.Now(), time.Now().Add(duration); next.Before(end); {
		reports = append(reports, r.probe(c))
		next = next.Add(interval)
		advance(time.Until(next))
	}
	return reports
}

// scrapeValid scrapes for some time, in which every probe must be valid.
func (r *rig) scrapeValid(c Credential, duration time.Duration) {
	r.t.Helper()
	for i, report := range r.scrape(c, interval, duration) {
		if report.Result != hmp.Valid {
			r.t.Fatalf("probe %d ended in %s: %s", i, brief(report), report.Reason)
		}
	}
}

// begin starts a probe in the background. It returns when the probe waits for HMP. The
// function that it returns waits for the report.
func (r *rig) begin(c Credential, timeout time.Duration) (report func() Report) {
	reports := make(chan Report, 1)
	go func() { reports <- r.probeWithin(c, timeout) }()
	synctest.Wait()
	return func() Report { return <-reports }
}

// brief writes a report in a few words, such as "valid login" or "login_rejected skipped".
func brief(r Report) string {
	text := string(r.Result)
	if r.Login != "" {
		text += " login"
	}
	if r.Skipped {
		text += " skipped"
	}
	return text
}

// describe writes calls in a few words, such as "POST valid, GET valid".
func describe(calls []call) string {
	var all []string
	for _, c := range calls {
		all = append(all, c.method()+" "+string(c.result))
	}
	return strings.Join(all, ", ")
}

// checkPauses checks the pauses between logins, if there was a probe every second. A pause
// can be a tenth longer.
func checkPauses(t *testing.T, calls []call, pauses ...time.Duration) {
	t.Helper()
	if len(calls) <= len(pauses) {
		t.Fatalf("%d logins, want more than %d", len(calls), len(pauses))
	}
	for i, pause := range pauses {
		if got := calls[i+1].at.Sub(calls[i].at); got < pause || got >= pause+pause/10+2*time.Second {
			t.Errorf("pause %d is %v, want %v and up to a tenth more", i+1, got, pause)
		}
	}
}

func check[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var clockTime = regexp.MustCompile(`at (\d\d:\d\d:\d\d UTC)`)

// untilNextLogin returns the time from now to the first time in a reason.
func untilNextLogin(t *testing.T, reason string) time.Duration {
	t.Helper()
	found := clockTime.FindStringSubmatch(reason)
	if found == nil {
		t.Fatalf("the reason does not say when the next login comes: %q", reason)
	}
	now := time.Now().UTC()
	at, err := time.Parse(time.DateOnly+" 15:04:05 MST", now.Format(time.DateOnly)+" "+found[1])
	if err != nil {
		t.Fatal(err)
	}
	return (at.Sub(now) + 24*time.Hour) % (24 * time.Hour) // the next day, if the time has passed
}

// A call is a login or a question about a session.
type call struct {
	at             time.Time
	key, apiSecret string // of a login
	token          string // of a session
	result         hmp.Result
}

func (c call) isLogin() bool { return c.key != "" }

func (c call) method() string {
	if c.isLogin() {
		return "POST"
	}
	return "GET"
}

// A fakeHMP decides when a call arrives, and answers after some time. Tests may change its
// behaviour between calls.
type fakeHMP struct {
	lifetime           time.Duration // of its tokens
	rotates            bool          // each answer has another token
	endsOld            bool          // and ends the token before
	word               string        // each answer has this word in place of a token
	loginTime, getTime time.Duration // how long it takes to answer
	// They decide, unless they are nil or return a zero answer.
	onLogin, onSession func(call) hmp.Answer

	mu         sync.Mutex
	secrets    map[string]string    // the right one of each key
	tokens     map[string]time.Time // when they end
	made       int                  // tokens so far
	calls      []call               // that were answered
	underWay   map[string]int       // logins by key
	mostAtOnce int
}

// Session implements HMP.
func (f *fakeHMP) GetSession(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value) {
	c, takes, next := call{at: time.Now(), token: token.Reveal()}, f.getTime, ""
	if f.onSession != nil {
		c.result = f.onSession(c).Result
	}
	f.mu.Lock()
	switch {
	case c.result != "":
	case !c.at.Before(f.tokens[c.token]):
		c.result = hmp.Unauthorized
	default:
		c.result, next = hmp.Valid, f.word
		if f.rotates {
			next = f.newToken(c.at)
		}
		if f.endsOld {
			delete(f.tokens, c.token)
		}
	}
	f.mu.Unlock()
	return f.answer(ctx, c, takes, answerOf(c.result), next)
}

// Login implements HMP.
func (f *fakeHMP) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	c, token := call{at: time.Now(), key: key.Reveal(), apiSecret: apiSecret.Reveal()}, ""
	var a hmp.Answer
	if f.onLogin != nil {
		a = f.onLogin(c)
	}
	f.mu.Lock()
	f.underWay[c.key]++
	f.mostAtOnce = max(f.mostAtOnce, f.underWay[c.key])
	if a.Result == "" {
		a = answerOf(hmp.LoginRejected)
		if f.secrets[c.key] == c.apiSecret {
			a, token = answerOf(hmp.Valid), f.newToken(c.at)
		}
	}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.underWay[c.key]--
	}()
	return f.answer(ctx, c, f.loginTime, a, token)
}

// Wait implements HMP.
func (*fakeHMP) Wait(ctx context.Context, done <-chan struct{}) (noSlot hmp.Answer, ok bool) {
	select {
	case <-done:
		return hmp.Answer{}, true
	case <-ctx.Done():
		return hmp.Answer{}, false
	}
}

func (f *fakeHMP) newToken(at time.Time) string {
	f.made++
	token := fmt.Sprintf("%s-token-%d", canary.Word, f.made)
	f.tokens[token] = at.Add(f.lifetime)
	return token
}

// answer waits for the time that an answer takes, or that the caller has.
func (f *fakeHMP) answer(ctx context.Context, c call, takes time.Duration, a hmp.Answer, token string) (hmp.Answer, secret.Value) {
	begun := time.Now()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		a = answerOf(hmp.Timeout)
	}
	a.Phases.Processing += time.Since(begun)
	a.Exchanges = []hmp.Exchange{{Method: c.method(), Result: a.Result}}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.result = a.Result
	f.calls = append(f.calls, c)
	if a.Result != hmp.Valid || token == "" {
		return a, secret.Value{}
	}
	return a, secret.New(token)
}

// accept makes a secret the right one of a key.
func (f *fakeHMP) accept(key, apiSecret string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[key] = apiSecret
}

// restart ends all tokens.
func (f *fakeHMP) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.tokens, func(string, time.Time) bool { return true })
}

// answerOf returns an answer that an HMP, or a gateway before it, can give.
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

// always returns a function for onLogin or onSession that gives one answer each time. For ""
// the fake HMP decides.
func always(r hmp.Result) func(call) hmp.Answer {
	if r == "" {
		return nil
	}
	return func(call) hmp.Answer { return answerOf(r) }
}
