package token

import (
	"fmt"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

func TestRejectedTokenCostsOneLogin(t *testing.T) {
	const all = 10 * time.Second
	for _, test := range []struct {
		name  string
		first hmp.Result    // of the first GET
		takes time.Duration // that it takes of ten seconds
		login hmp.Result    // "" as usual
		again hmp.Result    // of the second GET, "" as usual
		want  string        // the report
		sent  string
		next  string // the report of the next probe
	}{
		{"unauthorized", hmp.Unauthorized, 0, "", "", "valid login", "GET unauthorized, POST valid, GET valid", "valid"},
		{"no roles", hmp.NoRoles, 0, "", "", "valid login", "GET no_roles, POST valid, GET valid", "valid"},
		{"just time enough", hmp.Unauthorized, all * 3 / 4, "", "", "valid login", "GET unauthorized, POST valid, GET valid", "valid"},
		{"too late", hmp.Unauthorized, all*3/4 + 1, "", "", "unauthorized", "GET unauthorized", "valid login"},
		{"the new one too", hmp.Unauthorized, 0, "", hmp.Unauthorized, "unauthorized login", "GET unauthorized, POST valid, GET unauthorized", "valid login"},
		{"then undecided", hmp.Unauthorized, 0, "", hmp.AuthUnavailable, "auth_unavailable login", "GET unauthorized, POST valid, GET auth_unavailable", "valid"},
		{"login undecided", hmp.Unauthorized, 0, hmp.AuthUnavailable, "", "auth_unavailable login", "GET unauthorized, POST auth_unavailable", "valid login"},
		{"login breaks", hmp.Unauthorized, 0, hmp.Protocol, "", "protocol login", "GET unauthorized, POST protocol", "valid login"},
		{"no file descriptor for the login", hmp.Unauthorized, 0, hmp.Saturated, "", "unauthorized login", "GET unauthorized, POST saturated", "valid login"},
		{"login without roles", hmp.NoRoles, 0, hmp.NoRoles, "", "no_roles login", "GET no_roles, POST no_roles", "no_roles held"},
		{"login refused", hmp.Unauthorized, 0, hmp.LoginRejected, "", "login_rejected login", "GET unauthorized, POST login_rejected", "login_rejected held"},
		{"undecided at once", hmp.AuthUnavailable, 0, "", "", "auth_unavailable", "GET auth_unavailable", "valid"},
		{"no answer", hmp.Connect, 0, "", "", "connect", "GET connect", "valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				r.scrape(c, 5*time.Minute)
				r.sent()
				script := []hmp.Result{test.first, test.again}
				r.onSession = func(call) hmp.Answer {
					advance(test.takes)
					a := always(script[0])(call{})
					script = append(script[1:], "")
					test.takes = 0
					return a
				}
				r.onLogin = always(test.login)
				got := []string{brief(r.probe(c)), path(r.sent())}
				r.onLogin, r.onSession = nil, nil
				advance(interval)
				check(t, "the probe, what was sent, the next probe", []string{test.want, test.sent, test.next}, append(got, brief(r.probe(c))))
			})
		})
	}
}

// A probe of several exchanges tells about all of them what can be added, and
// about the last one the rest.
func TestReportJoinsExchanges(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		r.restart()
		r.getTime, r.loginTime = time.Second, 2*time.Second
		post := answerOf(hmp.Connect)
		post.CertificateExpiry = time.Now().Add(1000 * time.Hour)
		r.onLogin = func(call) hmp.Answer { return post }
		want := Report{Answer: post, Login: hmp.Connect}
		want.Phases.Processing = 3 * time.Second
		want.Exchanges = []hmp.Exchange{{Method: "GET", Result: hmp.Unauthorized}, {Method: "POST", Result: hmp.Connect}}
		check(t, "GET and a login that failed", want, r.probe(c))
		check(t, "what is repeated", Report{Answer: hmp.Answer{Result: hmp.Connect}, Skipped: true}, r.probe(c))

		advance(time.Minute)
		r.onLogin = nil
		r.probe(c)
		r.restart()
		want = Report{Answer: answerOf(hmp.Valid), Login: hmp.Valid}
		want.Phases.Processing = 4 * time.Second
		want.Exchanges = []hmp.Exchange{{Method: "GET", Result: hmp.Unauthorized}, {Method: "POST", Result: hmp.Valid}, {Method: "GET", Result: hmp.Valid}}
		want.Status.TokenExpiry = time.Now().Add(time.Second + 30*time.Minute)
		check(t, "GET, login, GET", want, r.probe(c))
	})
}

// Without enough time for a login, a token that lives is used, and nothing else is sent.
func TestTooLittleTimeForALogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.request.MayLogin = false
		want := Report{Answer: hmp.Answer{Result: hmp.Saturated, Reason: "there is no token, and the scrape left too little time for a login"}, Skipped: true}
		check(t, "without a token", want, r.probe(c))
		r.request.MayLogin = true
		r.probe(c)
		advance(28 * time.Minute)
		r.request.MayLogin = false
		got := []string{brief(r.probe(c))}
		r.restart()
		check(t, "with a token, and with one that is rejected", []string{"valid", "unauthorized"}, append(got, brief(r.probe(c))))
		check(t, "sent", "POST valid, GET valid, GET valid, GET unauthorized", path(r.sent()))
	})
}

func TestTokenIsRenewedInTime(t *testing.T) {
	for _, test := range []struct{ lifetime, interval, during time.Duration }{
		{30 * time.Minute, 15 * time.Second, 12 * time.Hour},
		{30 * time.Minute, 4 * time.Minute, 24 * time.Hour},
		{time.Minute, 15 * time.Second, time.Hour},
		{24 * time.Hour, 5 * time.Minute, 5 * 24 * time.Hour},
	} {
		t.Run(fmt.Sprintf("lifetime %v, every %v", test.lifetime, test.interval), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime, r.request.Lifetime = test.lifetime, test.lifetime
				for _, report := range r.scrapeEvery(with(key, apiSecret), test.interval, test.during) {
					if report.Result != hmp.Valid {
						t.Fatalf("a probe ended in %s", brief(report))
					}
				}
				calls := r.logins()
				latest := min(test.lifetime*9/10+2*test.interval, test.lifetime+test.interval)
				for i := 1; i < len(calls); i++ {
					if gap := calls[i].at.Sub(calls[i-1].at); gap < test.lifetime*8/10 || gap > latest {
						t.Errorf("a login %v after the one before", gap)
					}
				}
			})
		})
	}
}

// Tokens that began together are not renewed together, and not too early.
func TestRenewalsSpread(t *testing.T) {
	due := make(map[time.Duration]bool)
	begun := time.Now()
	for range 30 {
		due[(&token{issued: begun, jitter: newJitter()}).renewAt(30*time.Minute).Sub(begun).Round(time.Second)] = true
	}
	for d := range due {
		if d < 25*time.Minute || d > 27*time.Minute {
			t.Errorf("a token is renewed after %v", d)
		}
	}
	if len(due) < 15 {
		t.Errorf("30 tokens are renewed at %d times", len(due))
	}
}

// A login takes time, and nobody knows when in that time the token's life begins.
func TestTokenLivesFromTheBeginningOfItsLogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.loginTime = 9 * time.Second
		want := Status{TokenExpiry: time.Now().Add(30 * time.Minute)}
		report := r.probe(c)
		check(t, "the report's status", want, report.Status)

		// A lifetime that a reload changes counts for the token at hand.
		r.loginTime, r.request.Lifetime = 0, 5*time.Minute
		check(t, "the status", Status{TokenExpiry: want.TokenExpiry.Add(-25 * time.Minute)}, r.probe(c).Status)
		advance(5 * time.Minute)
		r.restart()
		check(t, "at the end of the shorter lifetime", "valid login", brief(r.probe(c)))
		check(t, "sent", "POST valid, GET valid, GET valid, POST valid, GET valid", path(r.sent()))
	})
}

// An HMP may change its ways: each change costs one login.
func TestRotationChanges(t *testing.T) {
	masked := func(f *fake) { f.rotating, f.killing, f.word = false, false, canary.Word+"-masked" }
	killing := func(f *fake) { f.rotating, f.killing, f.word = true, true, "" }
	for _, test := range []struct {
		name        string
		first, then func(*fake)
	}{
		{"not believed, and then it is true", masked, killing},
		{"believed, and then it is not true", killing, masked},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				for _, change := range []func(*fake){test.first, test.then} {
					change(r.fake)
					r.restart()
					r.valid(c, time.Minute)
					r.sent()
					r.valid(c, 20*time.Minute)
					if n := len(r.logins()); n > 1 {
						t.Errorf("%d logins in the first minutes", n)
					}
					r.valid(c, time.Hour)
				}
			})
		})
	}
}

// An answer that is late is about a token that has had a successor. It changes nothing,
// and the probe asks once more.
func TestLateRejection(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.scrape(c, 5*time.Minute)
		r.restart()
		r.sent()
		var late []func() Report
		for i := range 4 {
			r.getTime = time.Duration(i+1) * time.Second
			late = append(late, r.begin(c, r.time))
		}
		r.getTime = 0
		check(t, "the probe that was faster", "valid login", brief(r.probe(c)))
		for _, report := range late {
			check(t, "a late probe", "valid", brief(report()))
		}
		check(t, "logins", 1, len(r.logins()))
	})
}

func TestLateRotation(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		r.rotating = true
		r.getTime = 5 * time.Second
		late := r.begin(c, r.time) // its token is older than that of the next probe
		r.getTime = 0
		r.probe(c)
		want := fmt.Sprintf("%s-token-%d", canary.Word, r.made)
		check(t, "the late probe", "valid", brief(late()))
		r.sent()
		r.probe(c)
		check(t, "the next probe has the newest token", true, r.sent()[0].token == want)
	})
}
