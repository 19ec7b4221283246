package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// crowd probes sessions all at once, over and over, and waits for all. It returns
// how often the probes came to what.
func (r *rig) crowd(n int, of func(i int) Source) map[string]int {
	var reports []func() Report
	for i := range n {
		reports = append(reports, r.begin(of(i)))
	}
	came := make(map[string]int)
	for _, report := range reports {
		came[word(report())]++
	}
	return came
}

// That there is never more than one login at once is checked when a test ends.
func TestCrowdOfOneSession(t *testing.T) {
	for _, test := range []struct {
		name      string
		apiSecret string
		onLogin   func(call) hmp.Answer
		want      map[string]int
	}{
		{"right", apiSecret, nil, map[string]int{"valid login": 1, "valid": 199}},
		{"wrong", canary.Word + "-wrong", nil, map[string]int{"login_rejected login": 1, "login_rejected held": 199}},
		{"undecided", apiSecret, always(hmp.AuthUnavailable), map[string]int{"auth_unavailable login": 1, "auth_unavailable held": 199}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin = test.onLogin
				r.loginTime = time.Second
				l := r.login(key, test.apiSecret)
				if diff := cmp.Diff(test.want, r.crowd(200, func(int) Source { return l })); diff != "" {
					t.Errorf("200 probes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCrowdOfSessions(t *testing.T) {
	for _, test := range []struct {
		name, apiSecret string
		want            map[string]int
	}{
		{"right", apiSecret, map[string]int{"valid login": 200}},
		{"wrong", canary.Word + "-wrong", map[string]int{"login_rejected login": 1, "login_rejected held": 199}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.loginTime = 20 * time.Millisecond
				o := r.options(key, test.apiSecret)
				came := r.crowd(200, func(int) Source { return r.keyring.Login(o, nil) })
				if diff := cmp.Diff(test.want, came); diff != "" {
					t.Errorf("200 probes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Who waits for the login of another waits no longer than it has time.
func TestWaiterKeepsItsDeadline(t *testing.T) {
	for _, name := range []string{"the same session", "another session"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				hanging := r.login(key, apiSecret)
				waiting := hanging
				if name == "another session" {
					waiting = r.login(key, apiSecret)
				}
				r.loginTime = time.Hour
				hung := r.begin(hanging)
				begun := time.Now()
				got := r.probeFor(waiting, 2*time.Second)
				want := Report{Answer: hmp.Answer{Result: hmp.Saturated, Reason: "another login with the same key did not end in time"}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("who waited (-want +got):\n%s", diff)
				}
				if d := time.Since(begun); d != 1500*time.Millisecond { // then it is too late for a login of its own
					t.Errorf("it waited for %v", d)
				}
				if diff := cmp.Diff(Report{Answer: answerOf(hmp.Timeout), Login: hmp.Timeout}, hung(), ignorePhases); diff != "" {
					t.Errorf("who logged in (-want +got):\n%s", diff)
				}
				r.loginTime = time.Second
				advance(interval)
				for _, l := range []*Login{hanging, waiting} {
					if o := r.probe(l).Result; o != hmp.Valid {
						t.Errorf("the next probe came to %s", o)
					}
				}
			})
		})
	}
}

// ignorePhases leaves the time out that was spent.
var ignorePhases = cmp.Transformer("", func(hmp.Phases) bool { return false })

// A token that lives is used while others log in.
func TestLivingTokenDoesNotWait(t *testing.T) {
	for _, test := range []struct {
		name string
		age  time.Duration // of the token
		want string
	}{
		{"a fresh one", 10 * time.Minute, "valid"},
		{"one that is to be renewed", 28 * time.Minute, "valid"},
		{"one that has ended", 30 * time.Minute, "saturated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				advance(test.age)
				r.sent()
				r.loginTime = time.Hour
				hung := r.begin(r.login(key, apiSecret))
				begun := time.Now()
				if diff := cmp.Diff(test.want, word(r.probeFor(l, 5*time.Second))); diff != "" {
					t.Errorf("the probe (-want +got):\n%s", diff)
				}
				if d := time.Since(begun); test.want == "valid" && d != 0 {
					t.Errorf("it waited for %v", d)
				}
				hung()
			})
		})
	}
}
