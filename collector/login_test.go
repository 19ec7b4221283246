package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestFailedLoginIsNotRepeatedAtOnce compares the metrics of a login and of the probe a second
// later. If the login failed, that probe sends nothing and has the same result. The fault
// matrix has all other answers.
func TestFailedLoginIsNotRepeatedAtOnce(t *testing.T) {
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
			hmpsim.AuthUnavailable(),
			verdict{"auth_unavailable", "1", "0", "503", "090002", 0}, verdict{"auth_unavailable", absent, "0", "0", "090002", 0},
			logins{"auth_unavailable 1", "0", absent},
		}, {
			hmpsim.PerMethod(hmpsim.Unauthorized(), valid()),
			verdict{"unauthorized", "1", "0", "401", "020001", 1}, verdict{"unauthorized", "1", "0", "401", "020001", 2},
			logins{"success 1", "0", absent},
		},
	}
	for _, tt := range tests {
		inBubble(t, func(t *testing.T, r *rig) {
			sim := r.studioWithKeys(sessions{"playout": tt.behaviour})
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

// TestMetricsOfLogins counts logins by result. All series exist from the beginning, and a session
// with a fixed token has none.
func TestMetricsOfLogins(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("playout"), targetNamed("lab", "guest")))
		steps := []struct {
			what string
			do   func()
			want string
		}{
			{"the first probe", func() {}, "success 1"},
			{"the token is kept", func() {}, "success 1"},
			{"HMP ended the token", func() { sim.RevokeTokens(keyOf("playout")) }, "success 2"},
			{"and lost its directory", func() {
				sim.RevokeTokens(keyOf("playout"))
				addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.AuthUnavailable())})
			}, "success 2, auth_unavailable 1"},
			{"the directory is back", func() {
				addKeys(sim, sessions{"playout": valid()})
				advance(time.Minute)
			}, "success 3, auth_unavailable 1"},
		}
		for _, s := range steps {
			s.do()
			if got := loginsOf(t, Families(r.probe(Request{Target: "studio"}))).Counts; got != s.want {
				t.Errorf("%s: got %q, want %q", s.what, got, s.want)
			}
		}
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
	})
}

// sharedKey returns the YAML of a target with n sessions of one API key.
func sharedKey(n int) string {
	text := targetWith("studio", "url: http://studio")
	for i := range n {
		text += keySession(fmt.Sprintf("s%d", i), "playout")
	}
	return text
}

// TestSessionsOfOneKeyShareALogin has sixty sessions of one key whose login takes half a second.
func TestSessionsOfOneKeyShareALogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.Delay(500*time.Millisecond, valid()))})
		r.Apply(r.load(sharedKey(60)))
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

// TestHungLoginIsTheHMPs has the login of three sessions hang. The two sessions that wait for it
// are not saturated, and another session of the HMP is valid.
func TestHungLoginIsTheHMPs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(2))
		sim := r.simulate("studio", sessions{"fixed": valid()})
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.Hang())})
		r.Apply(r.load(sharedKey(3) + "      - {name: fixed, token: " + tokenOf("fixed") + "}\n"))
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

// TestDeadlineWhileWaitingForALogin has a scrape end while its probe waits for the login of another
// session. Nothing was sent for it, so it is not known whether HMP is up.
func TestDeadlineWhileWaitingForALogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.Hang())})
		r.Apply(r.load(sharedKey(2)))
		go r.probe(Request{Target: "studio", Session: "s0"})
		synctest.Wait()
		go r.probe(Request{Target: "studio", Session: "s1"})
		synctest.Wait()
		result := r.probe(Request{Target: "studio", Session: "s1", ScrapeTimeout: "3"})[0]
		if _, known := result.Up(); known || result.Result != hmp.Timeout || !strings.Contains(result.Reason, "another login") {
			t.Errorf("the result is %s (%s), and hmp_up known is %v", result.Result, result.Reason, known)
		}
	})
}

// TestNoSlotAfterALogin has a session wait for the login of another one, and then for a slot, until
// its time is over. HMP has answered, so the exporter lacked a slot.
func TestNoSlotAfterALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, maxConcurrent(2))
		slow := hmpsim.Delay(9460*time.Millisecond, valid())
		sim := r.simulate("studio", sessions{"a": slow, "b": slow})
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(hmpsim.Delay(4*time.Second, valid()), hmpsim.Delay(100*time.Millisecond, valid()))})
		text := sharedKey(2)
		for _, name := range []string{"a", "b"} {
			text += "      - {name: " + name + ", token: " + tokenOf(name) + "}\n"
		}
		r.Apply(r.load(text))
		results := make(chan hmp.Result, 4)
		for _, name := range []string{"s0", "s1", "a", "b"} {
			go func() {
				results <- r.probe(Request{Target: "studio", Session: name, ScrapeTimeout: "10"})[0].Result
			}()
			synctest.Wait()
		}
		names := []hmp.Result{<-results, <-results, <-results, <-results}
		slices.Sort(names)
		if diff := cmp.Diff([]hmp.Result{hmp.Saturated, hmp.Timeout, hmp.Timeout, hmp.Valid}, names); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestRetryLogin has an operator enable the key again in HMP and ask for a login at once.
func TestRetryLogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
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
			t.Errorf("without a request for a login, the result is %s", got.Result)
		}
		if n := len(r.history("playout").Failures); n != 1 {
			t.Errorf("the history has %d failures, want only the one that sent a login", n)
		}
		if err := r.RetryLogin(t.Context(), "studio", "playout"); err != nil {
			t.Fatal(err)
		}
		if got := r.probe(one)[0]; !got.Valid() {
			t.Errorf("after a request for a login, the result is %s (%s)", got.Result, got.Reason)
		}
		for name, want := range map[string]error{"playout": ErrTooSoon, "fixed": ErrNoLogin, "guest": ErrUnknownSession} {
			if err := r.RetryLogin(t.Context(), "studio", name); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
	})
}

// TestLoginsOfEveryResultAreExported checks that the metrics have every login that is counted.
func TestLoginsOfEveryResultAreExported(t *testing.T) {
	for _, info := range hmp.Results {
		result := sampleResults()[hmp.Valid]
		result.Logins = &Logins{InProbe: info.Result, Counts: map[hmp.Result]int{info.Result: 1}}
		never := info.Result == hmp.Unauthorized || info.Result == hmp.Credentials // a login does not end in these
		if got := loginsOf(t, Families([]Result{result})).Counts; (got == "") != never {
			t.Errorf("a login that ended in %s is exported as %q", info.Result, got)
		}
	}
}

// TestRetryLoginDuringAProbe checks that the next scrape does not share a probe that began
// before the operator asked for a login.
func TestRetryLoginDuringAProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.studioWithKeys(sessions{"playout": hmpsim.Delay(2*time.Second, hmpsim.NoRoles())})
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
