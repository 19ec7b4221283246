package session

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// Whatever goes wrong at once, an account sees no more than five wrong secrets in
// an hour. That this is so is checked when the test ends.
func TestRejectionsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const sessions = 4
		var file [sessions]string
		var options [sessions]LoginOptions
		for i := range sessions {
			file[i] = r.file(fmt.Sprintf("secret-%d", i), canary.Word+"-wrong")
			options[i] = r.optionsOf("api_key: " + key + ", api_secret_file: " + file[i])
		}
		var all [sessions]*Login
		reported := 0
		for n := range int(26 * time.Hour / interval) {
			for i := range sessions {
				if i > 1 && n%(7*i) == 0 { // so many secrets of two sessions are wrong
					r.file(fmt.Sprintf("secret-%d", i), fmt.Sprintf("%s-wrong-%d", canary.Word, n))
				}
				if n%40 == 10*i { // a reload
					all[i] = r.keyring.Login(options[i], all[i])
				} else if all[i] == nil {
					all[i] = r.keyring.Login(options[i], nil)
				}
			}
			if n%100 == 0 {
				r.keyring.Retire(all[0])
				all[0] = nil
				all[0] = r.keyring.Login(options[0], nil)
				r.keyring.Tidy()
			}
			var wait sync.WaitGroup
			for _, l := range all {
				for range 1 + n%2 {
					wait.Go(func() {
						if report := r.probe(l); report.Result != hmp.LoginRejected {
							t.Errorf("a probe came to %s", word(report))
						}
					})
				}
			}
			wait.Wait()
			advance(interval)
		}
		reported = len(r.logins())
		// As many as there may be, so that the bound is what stopped them.
		if reported < 26*5-5 || reported > 26*5 {
			t.Errorf("%d rejected logins in 26 hours", reported)
		}
	})
}

// use uses up the logins of an hour, with secrets that are all wrong.
func (r *rig) use(n int) {
	for i := range n {
		r.probe(r.login(key, canary.Word+"-wrong-"+strconv.Itoa(i)))
	}
}

func TestOtherSecretsAreWrong(t *testing.T) {
	for _, test := range []struct {
		wrong int
		want  string
	}{
		{4, "valid login"},
		{5, "login_rejected held"},
		{7, "login_rejected held"},
	} {
		t.Run(strconv.Itoa(test.wrong), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.use(test.wrong)
				report := r.probe(r.login(key, apiSecret))
				if diff := cmp.Diff(test.want, word(report)); diff != "" {
					t.Errorf("a session with the right one (-want +got):\n%s", diff)
				}
				if !report.Held {
					return
				}
				want := Report{Answer: hmp.Answer{Result: hmp.LoginRejected, Code: hmp.InvalidCredentials}, Held: true}
				want.Reason = "5 logins with other secrets of this key were rejected within the hour; no login before " +
					clock(time.Now().Add(time.Hour)) + " unless the key changes"
				if diff := cmp.Diff(want, report); diff != "" {
					t.Errorf("the report (-want +got):\n%s", diff)
				}
				advance(time.Hour)
				if w := word(r.probe(r.login(key, apiSecret))); w != "valid login" {
					t.Errorf("an hour later a probe came to %s", w)
				}
			})
		})
	}
}

// A session whose own secret was never refused loses nothing before its token ends.
func TestTokenOutlastsOtherSecrets(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		reports := r.scrape(l, 15*time.Minute)
		r.use(5)
		got := words(append(reports, r.scrape(l, 75*time.Minute)...))
		if diff := cmp.Diff([]string{"valid login", "valid ×119", "login_rejected held ×180", "valid login", "valid ×59"}, got); diff != "" {
			t.Errorf("the probes (-want +got):\n%s", diff)
		}
	})
}
