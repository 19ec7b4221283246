package session

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

// An HMP that rejects what it has just handed out is not to be flooded with logins.
func TestChurn(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.onSession = always(hmp.Unauthorized)
		l := r.login(key, apiSecret)
		var held []Report
		for range 2 * time.Hour / time.Second {
			report := r.probe(l)
			if report.Result != hmp.Unauthorized {
				t.Fatalf("a probe came to %s", word(report))
			}
			if report.Held {
				held = append(held, report)
			}
			if report.Held && !suspended(l) {
				t.Fatal("held, and not suspended")
			}
			advance(time.Second)
		}
		want := Report{Answer: hmp.Answer{Result: hmp.Unauthorized, Code: hmp.UserNotAuthorized, Reason: held[0].Reason}, Held: true}
		if diff := cmp.Diff(want, held[0]); diff != "" {
			t.Errorf("held (-want +got):\n%s", diff)
		}
		promised(t, held[0])
		calls := r.logins()
		if d := calls[2].at.Sub(calls[0].at); d != 2*time.Second {
			t.Errorf("the first two rejections were met with logins after %v", d)
		}
		const minute = time.Minute
		checkPauses(t, calls[2:], 30*time.Second, minute, 2*minute, 4*minute, 5*minute, 5*minute, 5*minute)
	})
}

// A token that lasted for a while is replaced at once, however short-lived all of
// them are.
func TestShortLives(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.lifetime = 100 * time.Second
		for _, report := range r.scrape(r.login(key, apiSecret), time.Hour) {
			if report.Result != hmp.Valid {
				t.Fatalf("a probe came to %s", word(report))
			}
		}
	})
}

// A churn does not shorten the hold that wrong credentials have earned.
func TestChurnKeepsLongerHold(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l, other := r.login(key, apiSecret), r.login(key, apiSecret)
		r.onSession = always(hmp.Unauthorized)
		r.probe(l)
		r.probe(l)
		r.onSession = nil
		r.probe(l) // has a token that will be the third to be rejected
		r.onLogin = always(hmp.LoginRejected)
		r.probe(other)
		r.onSession = always(hmp.Unauthorized)
		r.probe(l)
		r.sent()
		r.scrape(l, 2*time.Minute)
		if n := len(r.logins()); n != 0 {
			t.Errorf("%d logins within two minutes after a rejection", n)
		}
	})
}

// Once a token lasts, the next rejections are the first again.
func TestChurnEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		for range 5 {
			r.onSession = always(hmp.Unauthorized)
			if diff := cmp.Diff([]string{"unauthorized login ×3", "unauthorized held"}, words(r.scrape(l, time.Minute))); diff != "" {
				t.Errorf("the first probes of a churn (-want +got):\n%s", diff)
			}
			if !suspended(l) {
				t.Error("not suspended")
			}
			r.onSession = nil
			reports := r.scrape(l, 4*time.Minute)
			if last := reports[len(reports)-1]; last.Result != hmp.Valid || suspended(l) {
				t.Errorf("a probe came to %s, suspended: %v", word(last), suspended(l))
			}
			r.restart()
			if w := word(r.probe(l)); w != "valid login" {
				t.Errorf("a token that had lasted was rejected, and the probe came to %s", w)
			}
			r.scrape(l, 3*time.Minute)
			r.restart()
		}
	})
}

// A token that was renewed has lasted too.
func TestRenewalEndsChurn(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		var got []string
		for range 4 {
			r.scrape(l, 5*time.Minute)
			advance(22 * time.Minute) // to the renewal
			got = append(got, word(r.probe(l)))
			r.restart()
			got = append(got, word(r.probe(l)))
		}
		want := slices.Repeat([]string{"valid login", "valid login"}, 4)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("renewals, and the probes after restarts (-want +got):\n%s", diff)
		}
	})
}

// Tokens that end after a while are no churn, however often that is.
func TestShortLife(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.lifetime = 3 * time.Minute
		l := r.login(key, apiSecret)
		for _, report := range r.scrape(l, 3*time.Hour) {
			if report.Result != hmp.Valid {
				t.Fatalf("a probe came to %s", word(report))
			}
		}
		if n := len(r.logins()); n > 61 {
			t.Errorf("%d logins in three hours", n)
		}
	})
}
