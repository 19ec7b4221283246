package token

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// Probes that begin together send one login, whatever it ends in. That there is never
// more than one at once is checked when a test ends.
func TestProbesOfOneKeyShareALogin(t *testing.T) {
	for _, test := range []struct {
		name, apiSecret string
		onLogin         func(call) hmp.Answer
		want            map[string]int
	}{
		{"right", apiSecret, nil, map[string]int{"valid login": 1, "valid": 59}},
		{"wrong", wrong, nil, map[string]int{"login_rejected login": 1, "login_rejected held": 59}},
		{"undecided", apiSecret, always(hmp.AuthUnavailable), map[string]int{"auth_unavailable login": 1, "auth_unavailable held": 59}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin, r.loginTime = test.onLogin, 500*time.Millisecond
				var reports []func() Report
				for range 60 {
					reports = append(reports, r.begin(with(key, test.apiSecret), r.time))
				}
				got := make(map[string]int)
				for _, report := range reports {
					got[brief(report())]++
				}
				check(t, "60 probes", test.want, got)
			})
		})
	}
}

// Sessions that start with different secrets of a key log in one after the other, so that
// the budget cannot be overdrawn.
func TestSecretsOfOneKeyAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.loginTime = 500 * time.Millisecond
		var reports []func() Report
		for i := range 12 {
			reports = append(reports, r.begin(with(key, fmt.Sprintf("%s-%d", wrong, i)), r.time))
		}
		for _, report := range reports {
			check(t, "a probe", hmp.LoginRejected, report().Result)
		}
		check(t, "logins", 5, len(r.logins()))
	})
}

// A login that hangs is a timeout of the HMP, also for the probes that waited for it.
func TestWaiterOfHungLoginIsTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.loginTime = time.Hour
		leader := r.begin(c, 10*time.Second)
		begun := time.Now()
		want := Report{Answer: hmp.Answer{Result: hmp.Timeout, Reason: "another login of the same key took too long"}, Skipped: true}
		check(t, "who waited", want, r.probeFor(c, 2*time.Second))
		check(t, "for how long", 2*time.Second, time.Since(begun))
		later := r.begin(c, 10*time.Second)
		check(t, "who logged in", "timeout login", brief(leader()))
		check(t, "who waited longer", want, later())
		r.loginTime = time.Second
		advance(interval)
		check(t, "the next probe", "valid login", brief(r.probe(c)))
	})
}

// A follower has a deadline of its own: that of the leader does not end it.
func TestFollowerOutlastsLeader(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.loginTime = 1500 * time.Millisecond
		leader := r.begin(c, time.Second)
		follower := r.begin(c, 10*time.Second)
		other := r.begin(c, 9*time.Second)
		check(t, "the leader", "timeout login", brief(leader()))
		got := []string{brief(follower()), brief(other())}
		slices.Sort(got)
		check(t, "the followers", []string{"valid", "valid login"}, got)
	})
}

// A token that lives is used while another probe renews it.
func TestLivingTokenDoesNotWait(t *testing.T) {
	for _, age := range []time.Duration{28 * time.Minute, 30 * time.Minute} {
		t.Run(age.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c := with(key, apiSecret)
				r.probe(c)
				advance(age)
				r.loginTime = 2 * time.Second
				renewal := r.begin(c, r.time)
				begun := time.Now()
				check(t, "the probe", "valid", brief(r.probe(c)))
				check(t, "it waited", age >= 30*time.Minute, time.Since(begun) > 0)
				check(t, "the renewal", "valid login", brief(renewal()))
			})
		})
	}
}

// An HMP whose login panics.
type panicking struct{ *fake }

func (p panicking) Login(context.Context, secret.Value, secret.Value) (hmp.Answer, secret.Value) {
	advance(time.Second)
	panic("a defect")
}

func TestPanicInALoginReleasesWaiters(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		var wait sync.WaitGroup
		wait.Go(func() {
			defer func() { check(t, "the panic goes on", any("a defect"), recover()) }()
			ctx, cancel := context.WithTimeout(t.Context(), r.time)
			defer cancel()
			r.manager.Probe(ctx, Request{Credential: c, Lifetime: time.Hour, MayLogin: true}, panicking{r.fake})
		})
		synctest.Wait()
		check(t, "who waited", "saturated held", brief(r.probe(c)))
		wait.Wait()
		advance(6 * time.Second)
		check(t, "the next probe", "valid login", brief(r.probe(c)))
	})
}

// What holds the logins of one credential back does not hold back a token that HMP
// accepts, nor another key, nor the same key on another HMP.
func TestHoldsOfOthersDoNotHoldTokens(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		for i := range 7 {
			r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i)))
		}
		r.valid(c, 3*time.Hour) // through its renewals: HMP accepted this secret before
		check(t, "suspended", false, r.probe(c).Status.Suspended)

		other := with(key+"-2", apiSecret)
		r.accept(key+"-2", apiSecret)
		check(t, "another key", "valid login", brief(r.probe(other)))
		for i := range 5 {
			r.probe(with(key, fmt.Sprintf("%s-%d", wrong, i)))
		}
		fresh := with(key, wrong+"-fresh")
		check(t, "another secret, on this HMP", "login_rejected held", brief(r.probe(fresh)))
		r.sent()
		fresh.HMP = "http://other.example:80"
		r.accept(key, wrong+"-fresh")
		used := maps.Clone(r.tokens)
		check(t, "the key on another HMP", "valid login", brief(r.probe(fresh)))
		for _, call := range r.sent() {
			if _, ok := used[call.token]; ok {
				t.Error("the token of one HMP was sent to another")
			}
		}
	})
}

// A file whose content changes with every probe costs a bounded amount of memory.
func TestMemoryIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.request.Lifetime = 30 * time.Minute
		most := 0
		for i := range int(30 * time.Hour / time.Minute) {
			changing := fmt.Sprintf("%s-%d", key, i)
			r.probe(with(changing, wrong)) // a key that HMP does not know
			r.probe(with(key, changing))   // a secret
			if i%60 == 0 {
				r.accept(changing, apiSecret)
				r.probe(with(changing, apiSecret))
			}
			most = max(most, len(r.manager.credentials))
			advance(time.Minute)
		}
		if most > 2*62+26 || len(r.manager.keys) > 24*60+3 {
			t.Errorf("%d credentials and %d accounts", most, len(r.manager.keys))
		}
		advance(25 * time.Hour)
		r.probe(with(key, apiSecret))
		check(t, "in the end", []int{1, 1}, []int{len(r.manager.credentials), len(r.manager.keys)})
	})
}
