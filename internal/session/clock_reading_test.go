package session

import (
	"math"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// Every moment that something is counted from has the reading of a clock that nobody
// sets. The clock of a bubble has none, so this is the real one, which need not move.
func TestMomentsAreMonotonic(t *testing.T) {
	r := &rig{fake: newFake(), t: t, dir: t.TempDir()}
	r.accept(key, apiSecret)
	moments := make(map[string]time.Time)
	moment := func(what string, at time.Time) {
		t.Helper()
		if _, ok := moments[what]; ok || at.IsZero() {
			t.Errorf("%s: noted already, or never", what)
		}
		moments[what] = at
	}

	l := r.login(key, apiSecret)
	r.probe(l)
	moment("a login", l.holder.token.login)
	moment("a token's beginning", l.holder.token.begun)
	moment("a token's end", l.holder.token.ends(l.options.Lifetime))
	moment("a renewal", l.holder.token.due(l.options.Lifetime))
	status, _ := l.Status()
	moment("the end in a status", status.TokenExpiry)
	r.rotating = true
	r.probe(l)
	moment("the login of a successor", l.holder.token.login)
	moment("a successor's beginning", l.holder.token.begun)

	wrong := r.login(key, canary.Word+"-wrong")
	r.probe(wrong)
	account, release := r.keyring.account(wrong.options.HMP, secret.New(key))
	defer release()
	moment("a rejection", account.rejections[0])
	moment("the end of a hold", account.refusals[0].until)
	moment("the end of a suspension", wrong.holder.suspended)
	r.keyring.Retire(l)
	moment("the end of a spare", account.spares[0].until)

	r.onLogin = func(call) hmp.Answer {
		a := answerOf(hmp.AuthUnavailable)
		a.RetryAfter = time.Minute
		return a
	}
	away := r.login(canary.Word+"-away", apiSecret)
	r.probe(away)
	moment("the end of a pause", away.holder.backoff.until)
	moment("the end of a Retry-After", away.holder.backoff.asked)

	for what, at := range moments {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s has no monotonic reading: %v", what, at)
		}
	}
}

// However many failures there were, a pause is as long as it may be.
func TestPausesAreBounded(t *testing.T) {
	for name, s := range map[string]schedule{
		"wrong credentials": wrongCredentials, "unusable": unusable, "harmless": harmless, "unclear": unclear,
	} {
		for _, failures := range []int{math.MinInt, -1, 0, 1, 2, 3, 10, 63, 64, 65, 1000, math.MaxInt} {
			if d := s.pause(failures); d < s.first || d >= s.most+s.most/10 {
				t.Errorf("%s, after %d failures: a pause of %v, want %v to %v", name, failures, d, s.first, s.most)
			}
		}
	}
}

// Whatever the lifetime, a token is due before its end and not before its beginning.
func TestLeewayIsBounded(t *testing.T) {
	now := time.Now()
	for _, lifetime := range []time.Duration{0, 1, 19, 20, time.Second, time.Minute, 30 * time.Minute, 24 * time.Hour} {
		for _, spread := range []float64{0, 0.5, 1} {
			t1 := &token{begun: now, login: now, spread: spread}
			ends, due := t1.ends(lifetime), t1.due(lifetime)
			if due.Before(now) || due.After(ends) || ends.Sub(due) > lifetime*3/20+1 {
				t.Errorf("a token of %v, spread %g: due after %v", lifetime, spread, due.Sub(now))
			}
			if t1.fresh(now, lifetime) != (lifetime > 0) || t1.alive(ends, lifetime) || t1.young(now, lifetime) != (lifetime >= 4) {
				t.Errorf("a token of %v: fresh %t, alive at its end %t, young %t", lifetime, t1.fresh(now, lifetime), t1.alive(ends, lifetime), t1.young(now, lifetime))
			}
		}
	}
}
