package session

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

// What a session has is its own and its successors', on the same HMP.
func TestReload(t *testing.T) {
	const other = "http://other.example:80"
	moved := func(r *rig, l *Login) *Login {
		o := l.options
		o.HMP = other
		next := r.keyring.Login(o, l)
		if next.Continues(l) {
			t.Error("a token goes on with another HMP")
		}
		r.keyring.Retire(l)
		return next
	}
	renamed := func(r *rig, l *Login) *Login {
		next := r.keyring.Login(l.options, nil)
		r.keyring.Retire(l)
		r.keyring.Tidy()
		return next
	}
	for _, test := range []struct {
		name   string
		reload func(*rig, *Login) *Login
		want   string // the next probe
	}{
		{"nothing changes", func(r *rig, l *Login) *Login { return r.keyring.Login(l.options, l) }, "valid"},
		{"ten times", func(r *rig, l *Login) *Login {
			for range 10 {
				l = r.keyring.Login(l.options, l)
			}
			return l
		}, "valid"},
		{"another HMP", moved, "valid login"},
		{"another HMP, and back", func(r *rig, l *Login) *Login {
			o := l.options
			return r.keyring.Login(o, moved(r, l))
		}, "valid"},
		{"renamed", renamed, "valid"},
		{"renamed twice", func(r *rig, l *Login) *Login { return renamed(r, renamed(r, l)) }, "valid"},
		{"removed, and back", func(r *rig, l *Login) *Login {
			r.keyring.Retire(l)
			r.keyring.Tidy()
			advance(10 * time.Minute)
			r.keyring.Tidy()
			return r.keyring.Login(l.options, nil)
		}, "valid"},
		{"removed, and back too late", func(r *rig, l *Login) *Login {
			r.keyring.Retire(l)
			advance(28 * time.Minute)
			return r.keyring.Login(l.options, nil)
		}, "valid login"},
		{"renamed with another apiSecret", func(r *rig, l *Login) *Login {
			r.keyring.Retire(l)
			r.accept(key, apiSecret+"-new")
			return r.login(key, apiSecret+"-new")
		}, "valid login"},
		{"another key", func(r *rig, l *Login) *Login {
			r.accept(key+"-new", apiSecret)
			return r.keyring.Login(r.options(key+"-new", apiSecret), l)
		}, "valid login"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := r.login(key, apiSecret)
				r.probe(l)
				before := r.live()
				r.sent()
				l = test.reload(r, l)
				if diff := cmp.Diff(test.want, word(r.probe(l))); diff != "" {
					t.Errorf("the next probe (-want +got):\n%s", diff)
				}
				calls := r.sent()
				if used := slices.Contains(before, calls[len(calls)-1].token); used != (test.want == "valid") {
					t.Errorf("the token from before was used: %v", used)
				}
			})
		})
	}
}

// A token that was left goes to one session, and not to two.
func TestSpareTokenIsUsedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		r.keyring.Retire(l)
		got := []string{word(r.probe(r.login(key, apiSecret))), word(r.probe(r.login(key, apiSecret)))}
		if diff := cmp.Diff([]string{"valid", "valid login"}, got); diff != "" {
			t.Errorf("two new sessions (-want +got):\n%s", diff)
		}
	})
}

// Of what one HMP hands out, another one sees nothing.
func TestTokenStaysWithItsHMP(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.login(key, apiSecret)
		r.probe(l)
		first := r.fake
		r.sent()
		r.fake = newFake()
		r.made = 1000 // its tokens have other names
		r.accept(key, apiSecret)
		o := l.options
		o.HMP = "http://other.example:80"
		l = r.keyring.Login(o, l)
		r.scrape(l, time.Hour)
		for _, c := range r.sent() {
			if slices.Contains(first.live(), c.token) {
				t.Fatalf("the other HMP was sent %s", c.token)
			}
		}
	})
}

// A login can be under way when its session goes.
func TestRetireDuringLogin(t *testing.T) {
	for _, test := range []struct {
		name string
		when time.Duration // the new session is probed, after the login of the old one began
	}{
		{"probed meanwhile", 2 * time.Second},
		{"probed later", 20 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.loginTime = 5 * time.Second
				l := r.login(key, apiSecret)
				late := r.begin(l)
				advance(time.Second)
				r.keyring.Retire(l)
				r.keyring.Tidy()
				next := r.login(key, apiSecret)
				advance(test.when - time.Second)
				r.keyring.Tidy()
				got := []string{word(r.probe(next)), word(late())}
				if diff := cmp.Diff([]string{"valid", "valid login"}, got); diff != "" {
					t.Errorf("the new session and the old one (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTidy(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*rig)
		after   time.Duration
		want    int
	}{
		{"nothing was refused", func(r *rig) { r.probe(r.login(key, apiSecret)) }, 0, 0},
		{"a hold", func(r *rig) { r.onLogin = always(hmp.NoRoles); r.probe(r.login(key, apiSecret)) }, time.Minute, 1},
		{"a budget", func(r *rig) { r.use(1) }, 59 * time.Minute, 1},
		{"all is long ago", func(r *rig) { r.use(5) }, 2 * time.Hour, 0},
		{"a token", func(r *rig) { l := r.login(key, apiSecret); r.probe(l); r.keyring.Retire(l) }, 20 * time.Minute, 1},
		{"a token that ends", func(r *rig) { l := r.login(key, apiSecret); r.probe(l); r.keyring.Retire(l) }, 30 * time.Minute, 0},
		{"a login under way", func(r *rig) {
			r.loginTime = time.Second
			report := r.begin(r.login(key, apiSecret))
			r.t.Cleanup(func() { report() })
		}, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				test.prepare(r)
				advance(test.after)
				r.keyring.Tidy()
				if diff := cmp.Diff(test.want, len(r.keyring.accounts)); diff != "" {
					t.Errorf("accounts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Tidying does not let five more wrong secrets through.
func TestTidyKeepsBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for range 10 {
			r.use(5)
			r.keyring.Tidy()
			advance(5 * time.Minute)
		}
		if diff := cmp.Diff(5, len(r.logins())); diff != "" {
			t.Errorf("logins (-want +got):\n%s", diff)
		}
	})
}
