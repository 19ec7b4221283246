package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

func TestRenewal(t *testing.T) {
	for _, test := range []struct{ lifetime, interval, during time.Duration }{
		{30 * time.Minute, 15 * time.Second, 12 * time.Hour},
		{30 * time.Minute, time.Minute, 12 * time.Hour},
		{30 * time.Minute, 4 * time.Minute, 24 * time.Hour},
		{time.Minute, 15 * time.Second, time.Hour},
		{24 * time.Hour, time.Minute, 5 * 24 * time.Hour},
	} {
		t.Run(fmt.Sprintf("lifetime %v, every %v", test.lifetime, test.interval), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.lifetime = test.lifetime
				o := r.options(key, apiSecret)
				o.Lifetime = test.lifetime
				l := r.keyring.Login(o, nil)
				for _, report := range r.scrapeEvery(l, test.interval, test.during) {
					if report.Result != hmp.Valid || report.Held {
						t.Fatalf("a probe came to %s", word(report))
					}
				}
				calls := r.sent()
				for i, c := range calls {
					switch {
					case c.outcome != hmp.Valid:
						t.Fatalf("%v was sent", c)
					case c.login() && (calls[i+1].login() || calls[i+1].at != c.at || i > 0 && calls[i-1].at == c.at):
						t.Errorf("a renewing probe is more than a login and a GET: %v", calls[i-1:i+2])
					}
				}
				// The second scrape after the earliest renewal is late enough.
				latest := max(test.lifetime*9/10, test.lifetime*85/100+test.interval) + test.interval
				for _, gap := range gaps(filter(calls, call.login)) {
					if gap < test.lifetime*8/10 || gap > min(latest, test.lifetime+test.interval) {
						t.Errorf("a login %v after the one before", gap)
					}
				}
			})
		})
	}
}

// Sessions that began together do not renew together.
func TestRenewalSpreads(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var all []*Login
		for i := range 30 {
			k := fmt.Sprintf("%s-%d", key, i)
			r.accept(k, apiSecret)
			all = append(all, r.login(k, apiSecret))
			r.probe(all[i])
		}
		r.sent()
		advance(25 * time.Minute)
		times := make(map[time.Time]int)
		for range 3 * time.Minute / time.Second {
			for _, l := range all {
				r.probe(l)
			}
			advance(time.Second)
		}
		for _, c := range r.logins() {
			times[c.at]++
		}
		if len(times) < 15 {
			t.Errorf("30 sessions renewed their tokens at %d times: %v", len(times), times)
		}
	})
}

// A login takes time, and nobody knows when in that time the token's life begins.
func TestLifetimeBeginsBeforeLogin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.loginTime = 9 * time.Second
		l := r.login(key, apiSecret)
		begun := time.Now()
		if w := word(r.probe(l)); w != "valid login" {
			t.Fatalf("the first probe came to %s", w)
		}
		got, ok := l.Status()
		if diff := cmp.Diff(Status{TokenExpiry: begun.Add(30 * time.Minute)}, got); diff != "" || !ok {
			t.Errorf("Status, %v (-want +got):\n%s", ok, diff)
		}
	})
}

func TestTokenPastItsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.sliding = true // HMP would still take it
		l := r.login(key, apiSecret)
		r.probe(l)
		r.sent()
		advance(30 * time.Minute)
		r.probe(l)
		if diff := cmp.Diff("POST valid, GET valid", path(r.sent())); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestStatusWithoutToken(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		got, ok := r.login(key, apiSecret).Status()
		if diff := cmp.Diff(Status{}, got); diff != "" || !ok {
			t.Errorf("Status of a new session, %v (-want +got):\n%s", ok, diff)
		}
		if _, ok := (Fixed{}).Status(); ok {
			t.Error("a fixed token has a status of logins")
		}
	})
}
