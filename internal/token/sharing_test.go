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

// Probes that begin together send one login, whatever its result. Different secrets of a key
// are tried one after the other, up to the limit. The end of each test checks that there is
// one login at a time.
func TestProbesOfOneKeyShareALogin(t *testing.T) {
	same := func(c Credential) func(int) Credential { return func(int) Credential { return c } }
	for name, test := range map[string]struct {
		credential func(int) Credential
		onLogin    func(call) hmp.Answer
		want       map[string]int
	}{
		"right":         {same(with(key, apiSecret)), nil, map[string]int{"valid login": 1, "valid": 19}},
		"wrong":         {same(withWrong(0)), nil, map[string]int{"login_rejected login": 1, "login_rejected skipped": 19}},
		"undecided":     {same(with(key, apiSecret)), always(hmp.AuthUnavailable), map[string]int{"auth_unavailable login": 1, "auth_unavailable skipped": 19}},
		"twenty wrongs": {withWrong, nil, map[string]int{"login_rejected login": 5, "login_rejected skipped": 15}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.onLogin, r.loginTime = test.onLogin, 500*time.Millisecond
				var reports []func() Report
				for i := range 20 {
					reports = append(reports, r.begin(test.credential(i), r.timeout))
				}
				got := make(map[string]int)
				for _, report := range reports {
					got[brief(report())]++
				}
				check(t, "20 probes", test.want, got)
			})
		})
	}
}

// A probe that waits for the login of another probe has its own deadline.
func TestWaitingProbeHasItsOwnDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.loginTime = 1500 * time.Millisecond
		leader := r.begin(c, time.Second)
		follower := r.begin(c, 10*time.Second)
		other := r.begin(c, 9*time.Second)
		want := Report{Answer: hmp.Answer{Result: hmp.Timeout, Reason: "another login of the same key took too long"}, Skipped: true}
		check(t, "a shorter deadline", want, r.probeWithin(c, time.Second/2))
		check(t, "the leader", "timeout login", brief(leader()))
		got := []string{brief(follower()), brief(other())}
		slices.Sort(got)
		check(t, "longer deadlines", []string{"valid", "valid login"}, got)
	})
}

// A probe uses its token while another probe renews it, and waits if the token has expired.
func TestRenewalDoesNotDelayOtherProbes(t *testing.T) {
	for age, waits := range map[time.Duration]bool{28 * time.Minute: false, 30 * time.Minute: true} {
		inBubble(t, func(t *testing.T, r *rig) {
			c := with(key, apiSecret)
			r.probe(c)
			advance(age)
			r.loginTime = 2 * time.Second
			renewal := r.begin(c, r.timeout)
			begun := time.Now()
			check(t, "the probe", "valid", brief(r.probe(c)))
			check(t, "it waits", waits, time.Since(begun) > 0)
			check(t, "the renewal", "valid login", brief(renewal()))
		})
	}
}

// A panickingHMP panics in a login.
type panickingHMP struct{ *fakeHMP }

func (panickingHMP) Login(context.Context, secret.Value, secret.Value) (hmp.Answer, secret.Value) {
	advance(time.Second)
	panic("a defect")
}

func TestPanicInALoginReleasesWaiters(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		var wait sync.WaitGroup
		wait.Go(func() {
			defer func() { check(t, "the panic goes on", any("a defect"), recover()) }()
			ctx, cancel := context.WithTimeout(t.Context(), r.timeout)
			defer cancel()
			r.manager.Probe(ctx, ProbeRequest{Credential: c, Lifetime: time.Hour, MayLogin: true}, panickingHMP{r.fakeHMP})
		})
		synctest.Wait()
		check(t, "a probe that waits", "saturated skipped", brief(r.probe(c)))
		wait.Wait()
		advance(6 * time.Second)
		check(t, "the next probe", "valid login", brief(r.probe(c)))
	})
}

// What delays the logins of one credential does not delay another key, the same key on
// another HMP, or a token that HMP accepts.
func TestCredentialsDoNotDelayEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		c := with(key, apiSecret)
		r.probe(c)
		for i := range 7 {
			r.probe(withWrong(i))
		}
		r.scrapeValid(c, 3*time.Hour) // through its renewals: HMP accepted this secret before
		check(t, "suspended", false, r.probe(c).Status.Suspended)

		r.accept(key+"-2", apiSecret)
		check(t, "another key", "valid login", brief(r.probe(with(key+"-2", apiSecret))))
		for i := range 5 {
			r.probe(withWrong(i))
		}
		unknown := with(key, wrong+"-unknown")
		check(t, "another secret, on this HMP", "login_rejected skipped", brief(r.probe(unknown)))
		r.sent()
		unknown.BaseURL = "http://other.example:80"
		r.accept(key, wrong+"-unknown")
		used := maps.Clone(r.tokens)
		check(t, "the key on another HMP", "valid login", brief(r.probe(unknown)))
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
			t.Errorf("%d credentials and %d keys", most, len(r.manager.keys))
		}
		advance(25 * time.Hour)
		r.probe(with(key, apiSecret))
		check(t, "in the end", []int{1, 1}, []int{len(r.manager.credentials), len(r.manager.keys)})
	})
}
