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
		name   string
		first  hmp.Result    // of the first GET
		takes  time.Duration // that it takes of ten seconds
		login  hmp.Result    // "": HMP decides
		second hmp.Result    // of the second GET; "": HMP decides
		want   string        // the report
		sent   string
		next   string // the report of the next probe
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
		{"login without roles", hmp.NoRoles, 0, hmp.NoRoles, "", "no_roles login", "GET no_roles, POST no_roles", "no_roles skipped"},
		{"login refused", hmp.Unauthorized, 0, hmp.LoginRejected, "", "login_rejected login", "GET unauthorized, POST login_rejected", "login_rejected skipped"},
		{"undecided at once", hmp.AuthUnavailable, 0, "", "", "auth_unavailable", "GET auth_unavailable", "valid"},
		{"no answer", hmp.Connect, 0, "", "", "connect", "GET connect", "valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				r.scrape(c, interval, 5*time.Minute)
				r.sent()
				r.onSession = func(call) hmp.Answer {
					advance(test.takes)
					a := hmp.Answer{Result: test.first}
					test.first, test.second, test.takes = test.second, "", 0
					return a
				}
				r.onLogin = always(test.login)
				got := []string{brief(r.probe(c)), describe(r.sent())}
				r.onLogin, r.onSession = nil, nil
				advance(interval)
				check(t, "the probe, what was sent, the next probe", []string{test.want, test.sent, test.next}, append(got, brief(r.probe(c))))
			})
		})
	}
}

// A report has the exchanges and the phases of all calls. The rest is that of the last call.
func TestReportJoinsCalls(t *testing.T) {
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

// A probe with too little time for a login uses the current token, and sends nothing else.
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
		check(t, "sent", "POST valid, GET valid, GET valid, GET unauthorized", describe(r.sent()))
	})
}

// A token expires a lifetime after its login began, because HMP may issue it at once. A reload
// can change the lifetime of the current token.
func TestTokenExpiry(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.loginTime = 9 * time.Second
		want := Status{TokenExpiry: time.Now().Add(30 * time.Minute)}
		check(t, "after the login", want, r.probe(c).Status)
		r.loginTime, r.request.Lifetime = 0, 5*time.Minute
		check(t, "with a shorter lifetime", Status{TokenExpiry: want.TokenExpiry.Add(-25 * time.Minute)}, r.probe(c).Status)
		advance(5 * time.Minute)
		r.restart()
		check(t, "at the end of the shorter lifetime", "valid login", brief(r.probe(c)))
		check(t, "sent", "POST valid, GET valid, GET valid, POST valid, GET valid", describe(r.sent()))
	})
}

// If HMP changes how it rotates tokens, that costs one login.
func TestChangedRotationCostsOneLogin(t *testing.T) {
	unusable := func(f *fakeHMP) { f.rotates, f.endsOld, f.word = false, false, canary.Word+"-masked" }
	rotating := func(f *fakeHMP) { f.rotates, f.endsOld, f.word = true, true, "" }
	for name, changes := range map[string][]func(*fakeHMP){
		"new tokens were unusable, and then replace the old": {unusable, rotating},
		"new tokens replaced the old, and then are unusable": {rotating, unusable},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				for _, change := range changes {
					change(r.fakeHMP)
					r.restart()
					r.scrapeValid(c, time.Minute)
					r.sent()
					r.scrapeValid(c, 20*time.Minute)
					if n := len(r.logins()); n > 1 {
						t.Errorf("%d logins in the first minutes", n)
					}
					r.scrapeValid(c, time.Hour)
				}
			})
		})
	}
}

// An answer about a token that another probe has replaced changes nothing. If it is a
// rejection, the probe asks once more.
func TestAnswerAboutAnOldToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		r.restart()
		r.sent()
		var late []func() Report
		for i := range 4 {
			r.getTime = time.Duration(i+1) * time.Second
			late = append(late, r.begin(c, r.timeout))
		}
		r.getTime = 0
		check(t, "a faster probe", "valid login", brief(r.probe(c)))
		for _, report := range late {
			check(t, "a late rejection", "valid", brief(report()))
		}
		check(t, "logins", 1, len(r.logins()))

		r.rotates, r.getTime = true, 5*time.Second
		rotation := r.begin(c, r.timeout)
		r.getTime = 0
		r.probe(c)
		newest := fmt.Sprintf("%s-token-%d", canary.Word, r.made)
		check(t, "a late rotation", "valid", brief(rotation()))
		r.sent()
		r.probe(c)
		check(t, "the next probe has the newest token", newest, r.sent()[0].token)
	})
}
