package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestResultsOfLogins has what an HMP can answer to a login. The login ends the
// probe, unless there is a token to ask with.
func TestResultsOfLogins(t *testing.T) {
	const none = absent
	expiry := fmt.Sprintf("%g", float64(time.Date(2000, 1, 1, 0, 30, 0, 0, time.UTC).Unix())) // synctest begins in 2000
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		want      verdict
		logins    logins
		next      verdict // of the probe a second later
	}{
		{
			"valid", valid(),
			verdict{"valid", "1", "1", "200", "", 1}, logins{"success 1", "0", expiry},
			verdict{"valid", "1", "1", "200", "", 2},
		}, {
			"login_rejected: wrong credentials", hmpsim.PerMethod(valid(), hmpsim.InvalidCredentials()),
			verdict{"login_rejected", "1", "0", "401", "020002", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "020002", 0},
		}, {
			"login_rejected: bad input", hmpsim.PerMethod(valid(), hmpsim.InvalidInput("oops")),
			verdict{"login_rejected", "1", "0", "400", "010001", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "010001", 0},
		}, {
			"login_rejected: not authorized", hmpsim.Unauthorized(),
			verdict{"login_rejected", "1", "0", "401", "020001", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "020001", 0},
		}, {
			"endpoint_missing", hmpsim.EndpointMissing(),
			verdict{"endpoint_missing", "1", "0", "404", "", 0}, logins{"endpoint_missing 1", "0", none},
			verdict{"endpoint_missing", none, "0", "0", "", 0},
		}, {
			"no_roles", hmpsim.NoRoles(),
			verdict{"no_roles", "1", "0", "401", "020001", 0}, logins{"no_roles 1", "1", none},
			verdict{"no_roles", none, "0", "0", "020001", 0},
		}, {
			"auth_unavailable", hmpsim.AuthUnavailable(),
			verdict{"auth_unavailable", "1", "0", "503", "090002", 0}, logins{"auth_unavailable 1", "0", none},
			verdict{"auth_unavailable", none, "0", "0", "090002", 0},
		}, {
			"internal_error", hmpsim.CreateUserSession(),
			verdict{"internal_error", "1", "0", "500", "070051", 0}, logins{"internal_error 1", "0", none},
			verdict{"internal_error", none, "0", "0", "070051", 0},
		}, {
			"http_error", hmpsim.BadGateway(),
			verdict{"http_error", "1", "0", "502", "", 0}, logins{"http_error 1", "0", none},
			verdict{"http_error", none, "0", "0", "", 0},
		}, {
			"redirect", hmpsim.Redirect(302, "/login"),
			verdict{"redirect", "1", "0", "302", "", 0}, logins{"redirect 1", "0", none},
			verdict{"redirect", none, "0", "0", "", 0},
		}, {
			"bad_payload", hmpsim.LoginPage(),
			verdict{"bad_payload", "1", "0", "200", "", 0}, logins{"bad_payload 1", "0", none},
			verdict{"bad_payload", none, "0", "0", "", 0},
		}, {
			"protocol", hmpsim.Reset(),
			verdict{"protocol", "0", "0", "0", "", 0}, logins{"protocol 1", "0", none},
			verdict{"protocol", none, "0", "0", "", 0},
		}, {
			"timeout: before headers", hmpsim.Hang(),
			verdict{"timeout", "0", "0", "0", "", 0}, logins{"timeout 1", "0", none},
			verdict{"timeout", none, "0", "0", "", 0},
		}, {
			"timeout: in the body", hmpsim.HangInBody(lookalike()),
			verdict{"timeout", "1", "0", "200", "", 0}, logins{"timeout 1", "0", none},
			verdict{"timeout", none, "0", "0", "", 0},
		}, {
			"timeout: a login, and then nothing", hmpsim.PerMethod(hmpsim.Hang(), valid()),
			verdict{"timeout", "1", "0", "200", "", 1}, logins{"success 1", "0", expiry},
			verdict{"timeout", "0", "0", "0", "", 2},
		}, {
			"unauthorized: a login whose token is refused", hmpsim.PerMethod(hmpsim.Unauthorized(), valid()),
			verdict{"unauthorized", "1", "0", "401", "020001", 1}, logins{"success 1", "0", none},
			verdict{"unauthorized", "1", "0", "401", "020001", 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", nil)
				addKeys(sim, sessions{"playout": tt.behaviour})
				r.Apply(r.load(keyTarget("studio", "playout")))
				got, result := r.verdict(Request{}, sim)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.logins, loginsOf(t, Families([]Result{result}))); diff != "" {
					t.Errorf("logins (-want +got):\n%s", diff)
				}
				advance(time.Second)
				if next, _ := r.verdict(Request{}, sim); next != tt.next {
					t.Errorf("the next probe (-want +got):\n%s", cmp.Diff(tt.next, next))
				}
			})
		})
	}
}

// TestMetricsOfLogins follows the counters over everything that ends a login.
func TestMetricsOfLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("studio", "playout"), targetNamed("lab", "guest")))
		families := func() string {
			f := Families(r.probe(Request{Target: "studio"}))
			return loginsOf(t, f).Counts
		}
		steps := []struct {
			what string
			do   func()
			want string
		}{
			{"the first probe", func() {}, "success 1"},
			{"the token is kept", func() {}, "success 1"},
			{"its sessions are gone", func() { sim.RevokeTokens(keyOf("playout")) }, "success 2"},
			{"the directory is away as well", func() {
				sim.RevokeTokens(keyOf("playout"))
				addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.AuthUnavailable())})
			}, "success 2, auth_unavailable 1"},
			{"it is back", func() {
				addKeys(sim, sessions{"playout": valid()})
				advance(time.Minute)
			}, "success 3, auth_unavailable 1"},
		}
		for _, s := range steps {
			s.do()
			if got := families(); got != s.want {
				t.Errorf("%s: got %q, want %q", s.what, got, s.want)
			}
		}
		// All series are there from the beginning, so that the first increase is seen.
		text := exposition(t, Families(r.probe(Request{})))
		if n := strings.Count(text, SessionLogins+`{result="`); n != len(loginResults) {
			t.Errorf("there are %d series of %s, want %d", n, SessionLogins, len(loginResults))
		}
		for _, name := range []string{SessionLogins, SessionLoginSuspended, SessionTokenExpiry} {
			for _, s := range samples(text) {
				if strings.HasPrefix(s, name) && strings.Contains(s, `target="lab"`) {
					t.Errorf("a session with a fixed token has %s", s)
				}
			}
		}
		if r.Last()[0].Result != hmp.Valid {
			t.Errorf("the last result is %s", r.Last()[0].Result)
		}
	})
}

// sharedKey writes sessions of one API key.
func sharedKey(key string, n int) string {
	var b strings.Builder
	b.WriteString(targetWith("studio", "url: http://studio"))
	for i := range n {
		fmt.Fprintf(&b, "      - {name: s%d, api_key: %s, api_secret: %s}\n", i, keyOf(key), secretOf(key))
	}
	return b.String()
}

// TestSessionsOfOneKeyShareALogin starts with sixty sessions of one key whose login takes
// half a second.
func TestSessionsOfOneKeyShareALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.Delay(500*time.Millisecond, valid()))})
		r.Apply(r.load(sharedKey("playout", 60)))
		for range 3 {
			if diff := cmp.Diff(map[hmp.Result]int{hmp.Valid: 60}, countResults(r.probe(Request{ScrapeTimeout: "10"}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		if n := sim.Stats().POSTs; n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
	})
}

// TestHungLoginIsTheHMPs has the login of three sessions hang. The two that wait for it are
// no sign of a lack of slots, and another session of the HMP is valid.
func TestHungLoginIsTheHMPs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(2))
		sim := r.simulate("studio", sessions{"fixed": valid()})
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.Hang())})
		r.Apply(r.load(sharedKey("playout", 3) + "      - {name: fixed, token: " + tokenOf("fixed") + "}\n"))
		results := r.probe(Request{ScrapeTimeout: "10"})
		if diff := cmp.Diff([]hmp.Result{hmp.Timeout, hmp.Timeout, hmp.Timeout, hmp.Valid}, resultNames(results)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		waited := 0
		for _, result := range results {
			if strings.Contains(result.Reason, "the login of the same key was not answered in time") {
				waited++
			}
		}
		if waited != 2 {
			t.Errorf("%d sessions say that they waited for the login: %+v", waited, results)
		}
	})
}

// TestRetryLogin has an operator enable the key again in HMP, and not wait for the exporter.
func TestRetryLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"fixed": valid()})
		addKeys(sim, sessions{"playout": valid()})
		sim.DisableKey(keyOf("playout"))
		r.Apply(r.load(keyTarget("studio", "playout") + "      - {name: fixed, token: " + tokenOf("fixed") + "}\n"))
		one := Request{Target: "studio", Session: "playout"}
		if got := r.probe(one)[0]; got.Result != hmp.LoginRejected {
			t.Fatalf("got %s", got.Result)
		}
		addKeys(sim, sessions{"playout": valid()})
		if got := r.probe(one)[0]; got.Result != hmp.LoginRejected || !got.Skipped {
			t.Errorf("nobody asked, and the result is %s", got.Result)
		}
		if err := r.RetryLogin(t.Context(), "studio", "playout"); err != nil {
			t.Fatal(err)
		}
		if got := r.probe(one)[0]; !got.Valid() {
			t.Errorf("a login was asked for, and the result is %s (%s)", got.Result, got.Reason)
		}
		for name, want := range map[string]error{"playout": ErrTooSoon, "fixed": ErrNoLogin, "guest": ErrUnknownSession} {
			if err := r.RetryLogin(t.Context(), "studio", name); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
	})
}

// TestLoginsOfEveryResultAreExported is that no login is counted and not shown.
func TestLoginsOfEveryResultAreExported(t *testing.T) {
	for _, info := range hmp.Results {
		result := sampleResults()[hmp.Valid]
		result.Logins = &Logins{Last: info.Result, Counts: map[hmp.Result]int{info.Result: 1}}
		never := info.Result == hmp.Unauthorized || info.Result == hmp.Credentials // a login does not end in these
		if got := loginsOf(t, Families([]Result{result})).Counts; (got == "") != never {
			t.Errorf("a login that ended in %s is exported as %q", info.Result, got)
		}
	}
}
