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

// TestPanicKeepsCounters has a probe panic: what was counted and what is known of the
// logins is exported all the same.
func TestPanicKeepsCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		sim.Config = rotating
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("studio", "playout")))
		r.probe(Request{})
		before := r.probe(Request{})
		studio := r.snapshot.Load().byName["studio"]
		studio.client = panickingClient{client: studio.client, panic: func() { panic("x") }}
		crashed := r.probe(Request{})
		if !crashed[0].Panicked {
			t.Fatalf("it did not crash: %+v", crashed[0])
		}
		if diff := cmp.Diff(loginsOf(t, Families(before)), loginsOf(t, Families(crashed))); diff != "" {
			t.Errorf("logins (-before +after):\n%s", diff)
		}
		if got := crashed[0].Rotations; got != before[0].Rotations {
			t.Errorf("%d rotations after %d", got, before[0].Rotations)
		}
	})
}

// TestChangedReasonIsLogged is that a session which fails for another reason than before is
// a line in the log, and one whose reason differs by a number is not.
func TestChangedReasonIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Apply(r.load(targetWith("studio", "url: http://studio") + "      - {name: playout, token_file: token}\n"))
		probe := func() {
			for range 20 {
				r.probe(Request{})
				advance(15 * time.Second)
			}
		}
		probe()
		r.file("token", "two\nlines")
		probe()
		studio := r.snapshot.Load().byName["studio"]
		r.file("token", tokenOf("playout"))
		for port := range 20 {
			studio.client = instantClient{studio.client, hmp.Answer{Result: hmp.Protocol, Reason: fmt.Sprintf("read 127.0.0.1:%d: reset", 40000+port)}}
			probe()
		}
		warnings := r.warnings()
		for i, want := range []string{"no such file", "has more than one line", "reset"} {
			if len(warnings) != 3 || !strings.Contains(warnings[i], want) {
				t.Fatalf("want three warnings, number %d of which says %q:\n%s", i, want, strings.Join(warnings, ""))
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

// TestRetryLogin has an operator enable the key again in HMP, and not wait for the exporter.
func TestRetryLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", sessions{"fixed": valid()})
		addKeys(sim, sessions{"playout": valid()})
		sim.RegenerateKey(keyOf("playout"), secretOf("another"))
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
