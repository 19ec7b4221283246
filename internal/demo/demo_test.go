package demo

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

// A client asks about one session, as the exporter does.
type client struct {
	*hmp.Client
	demo    *Demo
	session session
	token   secret.Value
}

func (c *client) probe(ctx context.Context) hmp.Result {
	for logins := 0; ; logins++ {
		answer, next := c.GetSession(ctx, hmp.SessionRequest{Token: c.token})
		if !next.IsZero() {
			c.token = next
		}
		if answer.Result != hmp.Unauthorized || c.session.kind != "key" || logins > 0 {
			return answer.Result
		}
		n := 1
		if c.session.name == regenerated {
			n = int(c.demo.loadedNumber.Load())
		}
		if answer, c.token = c.Login(ctx, hmp.LoginRequest{Key: secret.New(c.session.token()), Secret: secret.New(c.session.secret(n))}); answer.Result != hmp.Valid {
			return answer.Result
		}
	}
}

// TestChanges runs the sessions that change, and those with a key, for 20 minutes. TestDemo in
// internal/app has the other sessions.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		authority, err := hmpsim.NewAuthority()
		if err != nil {
			t.Fatal(err)
		}
		d := &Demo{ca: string(authority.PEM()), targets: targets(start), hmps: make(map[string]*hmpsim.Server)}
		d.secretNumber.Store(1)
		go d.regenerate(t.Context())
		clients := make(map[string]*client)
		for i := range d.targets {
			target := &d.targets[i]
			target.url = "http://" + target.name
			d.hmps[target.name] = target.simulate()
			pipe := hmpsim.ListenPipe()
			l, err := d.hmps[target.name].Start(hmpsim.ListenConfig{Listener: pipe})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(l.Close)
			for _, s := range target.sessions {
				if s.result == "" || s.kind == "key" {
					c := hmp.NewClient(hmp.Options{URL: &url.URL{Scheme: "http", Host: target.name}, MaxBodySize: 1 << 20, Dial: pipe.DialContext})
					t.Cleanup(c.Close)
					clients[target.name+"/"+s.name] = &client{c, d, s, secret.New(s.token())}
				}
			}
		}
		got, last := make(map[string][]string), make(map[string]string)
		record := func(name, now string) {
			if last[name] != now {
				got[name] = append(got[name], fmt.Sprintf("%v %s", time.Since(start).Truncate(5*time.Second), now))
				last[name] = now
			}
		}
		time.Sleep(time.Second) // of the fake clock: changes are a second ago
		for time.Since(start) < 20*time.Minute {
			if d.Changed(t.Context()) {
				if _, err := d.Load(); err != nil {
					t.Fatal(err)
				}
				record("configuration", fmt.Sprint("secret ", d.loadedNumber.Load()))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			for name, c := range clients {
				result := c.probe(ctx)
				record(name, string(result))
				if name == "museum/guides" && result == hmp.Valid {
					version, _ := c.Version(ctx, hmp.SessionRequest{Token: c.token})
					record("museum", version.Version+" "+version.Build)
				}
			}
			cancel()
			time.Sleep(5 * time.Second) // of the fake clock
		}
		want := map[string][]string{
			"studio/newsroom":    {"0s valid", "3m0s no_roles", "5m0s valid", "10m0s no_roles", "12m0s valid", "17m0s no_roles", "19m0s valid"},
			"campus/lectures":    {"0s valid", "2m0s auth_unavailable", "4m0s valid", "10m0s auth_unavailable", "12m0s valid", "18m0s auth_unavailable"},
			"campus/library":     {"0s valid", "2m0s auth_unavailable", "4m0s valid", "10m0s auth_unavailable", "12m0s valid", "18m0s auth_unavailable"},
			"configuration":      {"0s secret 1", "5m0s secret 2"},
			"museum/guides":      {"0s valid", "45s protocol", "1m15s valid", "10m45s protocol", "11m15s valid"},
			"museum":             {"0s 4.1.0 30241", "1m15s 4.1.1 30242", "11m15s 4.1.1 30243"},
			"arena/scoreboard":   {"0s valid"},
			"arena/tickets":      {"0s valid", "3m0s login_rejected", "5m0s valid", "18m0s login_rejected"},
			"arena/merchandise":  {"0s login_rejected"},
			"arena/volunteers":   {"0s no_roles"},
			"gallery/exhibits":   {"0s valid"},
			"harbour/ferries":    {"0s valid"},
			"harbour/lighthouse": {"0s valid"},
		}
		for at := time.Duration(0); at < 20*time.Minute; at += 75 * time.Second {
			want["studio/signage"] = append(want["studio/signage"], fmt.Sprintf("%v valid", at), fmt.Sprintf("%v unauthorized", at+50*time.Second))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := d.hmps["gallery"].Stats().Logins; n != 1 {
			t.Errorf("gallery/exhibits logged in %d times, want once", n)
		}
	})
}
