package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

func TestOutage(t *testing.T) {
	for _, test := range []struct {
		name   string
		before bool // there was a token before
		ends   bool // and it ends meanwhile
		most   int  // logins in two hours
	}{
		{"with a token that survives", true, false, 120},
		{"with a token that does not", true, true, 120},
		// A login then takes the place of the probe's question.
		{"without a token", false, false, 480},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = 24 * time.Hour // only the exporter believes in half an hour
				l := r.login(key, apiSecret)
				if test.before {
					r.scrape(l, 10*time.Minute)
				}
				r.sent()
				r.onLogin, r.onSession = always(hmp.AuthUnavailable), always(hmp.AuthUnavailable)
				for _, report := range r.scrape(l, 2*time.Hour) {
					if report.Result != hmp.AuthUnavailable || suspended(l) {
						t.Fatalf("a probe came to %s, suspended: %v", word(report), suspended(l))
					}
				}
				calls := r.logins()
				if len(calls) > test.most {
					t.Errorf("%d logins in two hours", len(calls))
				}
				for _, c := range calls {
					if c.outcome != hmp.AuthUnavailable {
						t.Errorf("a login came to %s", c.outcome)
					}
				}
				if test.ends {
					r.restart()
				}
				r.onLogin, r.onSession = nil, nil
				if report := r.probe(l); report.Result != hmp.Valid {
					t.Errorf("the first probe after it came to %s", word(report))
				}
			})
		})
	}
}

// A reload during an outage is no reason to hurry, nor to give a token up.
func TestReloadDuringOutage(t *testing.T) {
	for _, test := range []struct {
		name string
		age  time.Duration // of the token; 0 if there is none
		want []string
	}{
		{"without a token", 0, []string{"auth_unavailable login", "auth_unavailable held"}},
		{"with a token", 27 * time.Minute, []string{"auth_unavailable login", "valid"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				if test.age > 0 {
					r.probe(l)
					advance(test.age)
				}
				r.onLogin = always(hmp.AuthUnavailable)
				got := []string{word(r.probe(l))}
				l = r.keyring.Login(l.options, l)
				got = append(got, word(r.probe(l)))
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("before the reload and after (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	const s = time.Second
	short := []time.Duration{5 * s, 10 * s, 10 * s, 10 * s, 10 * s}
	long := []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 60 * s, 60 * s}
	rare := []time.Duration{30 * s, 60 * s, 120 * s, 240 * s, 300 * s}
	gateway := hmp.Answer{Result: hmp.HTTPError, StatusCode: 504, Responded: true}
	processing := hmp.Answer{Result: hmp.Timeout, Phases: hmp.Phases{Processing: s}}
	transfer := hmp.Answer{Result: hmp.Timeout, StatusCode: 200, Responded: true}
	for _, test := range []struct {
		name   string
		answer hmp.Answer
		token  bool // there is one at hand
		want   []time.Duration
	}{
		{"unavailable", answerOf(hmp.AuthUnavailable), false, short},
		{"internal error", answerOf(hmp.InternalError), false, short},
		{"bad gateway", answerOf(hmp.HTTPError), false, short},
		{"redirect", answerOf(hmp.Redirect), false, short},
		{"no name", answerOf(hmp.DNS), false, short},
		{"no connection", answerOf(hmp.Connect), false, short},
		{"bad certificate", answerOf(hmp.TLS), false, short},
		{"timeout before the request", answerOf(hmp.Timeout), false, short},
		{"timeout after the request", processing, false, long},
		{"timeout in the answer", transfer, false, long},
		{"connection breaks", answerOf(hmp.Protocol), false, long},
		{"no session in it", answerOf(hmp.BadPayload), false, rare},
		{"gateway timeout", gateway, false, long},
		{"unavailable, with a token", answerOf(hmp.AuthUnavailable), true, long},
		{"no connection, with a token", answerOf(hmp.Connect), true, long},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.sliding = true
				l := r.login(key, apiSecret)
				if test.token {
					r.probe(l)
					advance(27 * time.Minute)
				}
				r.sent()
				r.onLogin = func(call) hmp.Answer { return test.answer }
				lasting := 4 * time.Minute
				if test.want[0] == rare[0] {
					lasting = 17 * time.Minute
				}
				for _, report := range r.scrapeEvery(l, s, lasting) {
					want := Report{Answer: test.answer, Login: test.answer.Result}
					switch {
					case report.Login != "":
					case test.token: // past its end too
						want = Report{Answer: answerOf(hmp.Valid)}
					default:
						want = Report{Answer: told(test.answer), Held: true}
					}
					if diff := cmp.Diff(want, report); diff != "" {
						t.Fatalf("a probe (-want +got):\n%s", diff)
					}
					if suspended(l) {
						t.Fatal("suspended")
					}
				}
				checkPauses(t, r.logins(), test.want...)
			})
		})
	}
}

// The rejection of the token at hand is no time to wait.
func TestRejectionEndsBackoff(t *testing.T) {
	for _, test := range []struct {
		name          string
		ask, rejected time.Duration // how long to wait by Retry-After, and when the rejection comes
		want          string
	}{
		{"not asked to wait", 0, 20 * time.Second, "valid login"},
		{"asked to wait longer than the pause", 5 * time.Minute, 70 * time.Second, "unauthorized"},
		{"asked to wait less than the pause", 55 * time.Second, 20 * time.Second, "unauthorized"},
		{"asked to wait, and waited", 15 * time.Second, 20 * time.Second, "valid login"},
		{"asked to wait for a day, within the bound", 24 * time.Hour, 29 * time.Minute, "unauthorized"},
		{"asked to wait for a day, beyond the bound", 24 * time.Hour, 30 * time.Minute, "valid login"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.sliding = true
				l := r.login(key, apiSecret)
				r.probe(l)
				advance(28 * time.Minute)
				r.onLogin = always(hmp.AuthUnavailable)
				r.scrape(l, 10*time.Minute) // until the pause is a minute
				r.onLogin = func(call) hmp.Answer {
					a := answerOf(hmp.AuthUnavailable)
					a.RetryAfter = test.ask
					return a
				}
				for r.probe(l).Login == "" {
					advance(time.Second)
				}
				advance(test.rejected)
				r.onLogin = nil
				r.restart()
				if diff := cmp.Diff(test.want, word(r.probe(l))); diff != "" {
					t.Errorf("the probe (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A login that had too little time says nothing about one with more; but who asks
// with ever more does not get a login each time.
func TestImpatientLogin(t *testing.T) {
	for _, test := range []struct {
		after, then time.Duration
		want        string
	}{
		{0, 2 * time.Second, "timeout held"},
		{0, 4 * time.Second, "timeout held"},
		{5 * time.Second, 5 * time.Second / 2, "timeout held"},
		{5 * time.Second, 4 * time.Second, "valid login"},
	} {
		t.Run(test.after.String()+", "+test.then.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.loginTime = 3 * time.Second
				l := r.login(key, apiSecret)
				got := []string{word(r.probeFor(l, 2*time.Second))}
				advance(test.after)
				got = append(got, word(r.probeFor(l, test.then)))
				if diff := cmp.Diff([]string{"timeout login", test.want}, got); diff != "" {
					t.Errorf("a probe of 2s, one of %v (-want +got):\n%s", test.then, diff)
				}
			})
		})
	}
}
