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

// TestResultsOfLogins is what the metrics say of a login, and of the probe a second later: if
// the login failed, that probe sends nothing and repeats its result. The fault matrix has what
// else an HMP can answer.
func TestResultsOfLogins(t *testing.T) {
	expiry := fmt.Sprintf("%g", float64(time.Date(2000, 1, 1, 0, 30, 0, 0, time.UTC).Unix())) // synctest begins in 2000
	tests := []struct {
		behaviour  hmpsim.Behaviour
		want, next verdict
		logins     logins
	}{
		{
			valid(), verdict{"valid", "1", "1", "200", "", 1}, verdict{"valid", "1", "1", "200", "", 2},
			logins{"success 1", "0", expiry},
		}, {
			hmpsim.PerMethod(valid(), hmpsim.InvalidCredentials()),
			verdict{"login_rejected", "1", "0", "401", "020002", 0}, verdict{"login_rejected", absent, "0", "0", "020002", 0},
			logins{"login_rejected 1", "1", absent},
		}, {
			hmpsim.NoRoles(), verdict{"no_roles", "1", "0", "401", "020001", 0}, verdict{"no_roles", absent, "0", "0", "020001", 0},
			logins{"no_roles 1", "1", absent},
		}, {
			hmpsim.AuthUnavailable(),
			verdict{"auth_unavailable", "1", "0", "503", "090002", 0}, verdict{"auth_unavailable", absent, "0", "0", "090002", 0},
			logins{"auth_unavailable 1", "0", absent},
		}, {
			hmpsim.HangInBody(lookalike()), verdict{"timeout", "1", "0", "200", "", 0}, verdict{"timeout", absent, "0", "0", "", 0},
			logins{"timeout 1", "0", absent},
		}, {
			hmpsim.PerMethod(hmpsim.Hang(), valid()), verdict{"timeout", "1", "0", "200", "", 1}, verdict{"timeout", "0", "0", "0", "", 2},
			logins{"success 1", "0", expiry},
		}, {
			hmpsim.PerMethod(hmpsim.Unauthorized(), valid()),
			verdict{"unauthorized", "1", "0", "401", "020001", 1}, verdict{"unauthorized", "1", "0", "401", "020001", 2},
			logins{"success 1", "0", absent},
		},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			sim := r.simulate("studio", nil)
			addKeys(sim, sessions{"playout": tt.behaviour})
			r.Apply(r.load(keyTarget("playout")))
			got, result := r.verdict(Request{}, sim)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.logins, loginsOf(t, Families([]Result{result}))); diff != "" {
				t.Errorf("%s: logins (-want +got):\n%s", tt.want.Result, diff)
			}
			advance(time.Second)
			if next, _ := r.verdict(Request{}, sim); next != tt.next {
				t.Errorf("the next probe (-want +got):\n%s", cmp.Diff(tt.next, next))
			}
		})
	}
}

// TestMetricsOfLogins follows the counters over everything that ends a login.
func TestMetricsOfLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("playout"), targetNamed("lab", "guest")))
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
			for s := range strings.Lines(text) {
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
			if strings.Contains(result.Reason, "another login of the same key took too long") {
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
		sim.RegenerateKey(keyOf("playout"), secretOf("another"))
		r.Apply(r.load(keyTarget("playout") + "      - {name: fixed, token: " + tokenOf("fixed") + "}\n"))
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

// TestRetryLoginBesideAProbe checks that the next probe does not share one that began before
// the operator asked for a login.
func TestRetryLoginBesideAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.Delay(2*time.Second, hmpsim.NoRoles())})
		r.Apply(r.load(keyTarget("playout")))
		go r.probe(Request{})
		synctest.Wait()
		s := r.snapshot.Load().sessions[0]
		if err := r.RetryLogin(t.Context(), "studio", "playout"); err != nil {
			t.Fatal(err)
		}
		if _, isNew := r.join(s, time.Now(), time.Second); !isNew {
			t.Error("the old probe is shared")
		}
		advance(time.Minute)
	})
}
