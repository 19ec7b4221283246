package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

func TestRejectedToken(t *testing.T) {
	const all = 10 * time.Second
	for _, test := range []struct {
		name    string
		outcome hmp.Result    // of the first GET
		takes   time.Duration // that it takes of ten seconds
		login   hmp.Result    // "" as usual
		again   hmp.Result    // of the second GET, "" as usual
		want    string        // the report
		sent    string
		next    string // the report of the next probe
	}{
		{"unauthorized", hmp.Unauthorized, 0, "", "", "valid login", "GET unauthorized, POST valid, GET valid", "valid"},
		{"no roles", hmp.NoRoles, 0, "", "", "valid login", "GET no_roles, POST valid, GET valid", "valid"},
		{"just time enough", hmp.Unauthorized, all * 3 / 4, "", "", "valid login", "GET unauthorized, POST valid, GET valid", "valid"},
		{"too late", hmp.Unauthorized, all*3/4 + 1, "", "", "unauthorized", "GET unauthorized", "valid login"},
		{"the new one too", hmp.Unauthorized, 0, "", hmp.Unauthorized, "unauthorized login", "GET unauthorized, POST valid, GET unauthorized", "valid login"},
		{"then undecided", hmp.Unauthorized, 0, "", hmp.AuthUnavailable, "auth_unavailable login", "GET unauthorized, POST valid, GET auth_unavailable", "valid"},
		{"login undecided", hmp.Unauthorized, 0, hmp.AuthUnavailable, "", "auth_unavailable login", "GET unauthorized, POST auth_unavailable", "valid login"},
		{"login breaks", hmp.Unauthorized, 0, hmp.Protocol, "", "protocol login", "GET unauthorized, POST protocol", "valid login"},
		{"login without roles", hmp.NoRoles, 0, hmp.NoRoles, "", "no_roles login", "GET no_roles, POST no_roles", "no_roles held"},
		{"login refused", hmp.Unauthorized, 0, hmp.LoginRejected, "", "login_rejected login", "GET unauthorized, POST login_rejected", "login_rejected held"},
		{"undecided at once", hmp.AuthUnavailable, 0, "", "", "auth_unavailable", "GET auth_unavailable", "valid"},
		{"no answer", hmp.Connect, 0, "", "", "connect", "GET connect", "valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.scrape(l, 5*time.Minute)
				r.sent()
				script := []hmp.Result{test.outcome, test.again}
				r.onSession = func(call) hmp.Answer {
					advance(test.takes)
					o := script[0]
					script = append(script[1:], "")
					test.takes = 0
					return scripted(o)
				}
				r.onLogin = func(call) hmp.Answer { return scripted(test.login) }
				got := []string{word(r.probeFor(l, all)), path(r.sent())}
				r.onLogin, r.onSession = nil, nil
				advance(interval)
				got = append(got, word(r.probe(l)))
				if diff := cmp.Diff([]string{test.want, test.sent, test.next}, got); diff != "" {
					t.Errorf("the probe, what was sent, the next probe (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// scripted is as usual for "".
func scripted(o hmp.Result) hmp.Answer {
	if o == "" {
		return hmp.Answer{}
	}
	return answerOf(o)
}

// A probe of several exchanges tells about all of them what can be added, and
// about the last one the rest.
func TestReportOfSeveralExchanges(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		expiry := time.Now().Add(1000 * time.Hour)
		l := r.login(key, apiSecret)
		r.probe(l)
		r.getTime, r.loginTime = time.Second, 2*time.Second
		r.onSession = func(call) hmp.Answer {
			a := answerOf(hmp.Unauthorized)
			a.CertificateExpiry = expiry
			return a
		}
		r.onLogin = always(hmp.Connect)
		want := Report{
			Answer: hmp.Answer{
				Result: hmp.Connect, CertificateExpiry: expiry,
				Phases: hmp.Phases{Processing: 3 * time.Second},
			},
			Login: hmp.Connect,
		}
		if diff := cmp.Diff(want, r.probe(l)); diff != "" {
			t.Errorf("GET and a login that failed (-want +got):\n%s", diff)
		}

		advance(time.Minute)
		r.onLogin, r.onSession = nil, nil
		r.probe(l)
		r.restart()
		want = Report{Answer: answerOf(hmp.Valid), Login: hmp.Valid}
		want.Phases.Processing = 4 * time.Second
		if diff := cmp.Diff(want, r.probe(l)); diff != "" {
			t.Errorf("GET, login, GET (-want +got):\n%s", diff)
		}
	})
}
