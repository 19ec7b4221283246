package hmpsim

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A ticketOffice is the session arena/tickets and its HMP, in a synctest bubble.
type ticketOffice struct {
	caller
	demo   *Demo
	files  []demoFile
	log    bytes.Buffer
	bearer string // of the last login
}

// openTicketOffice lets the story of the session begin, at 60 times its speed.
func openTicketOffice(t *testing.T) *ticketOffice {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	office := &ticketOffice{demo: &Demo{dir: t.TempDir(), clock: newDemoClock(60), stop: stop}}
	office.demo.report = func(err error) { fmt.Fprintln(&office.log, err) }
	office.demo.fleet = demoFleet(office.demo.clock.start)
	target, session := findDemoSession(office.demo, "arena", "tickets")
	target.server = target.newServer(office.demo.clock.now)
	office.caller = start(t, target.server)
	office.files = target.files(session)
	if err := writeDemo(office.demo.dir, nil, office.demo.fleet); err != nil {
		t.Fatal(err)
	}
	office.demo.startRegenerations(ctx)
	t.Cleanup(office.demo.Close)
	return office
}

// at moves the clock to a time of the story.
func (o *ticketOffice) at(d time.Duration) {
	time.Sleep(o.demo.clock.until(o.demo.clock.start.Add(d))) // on a fake clock
	synctest.Wait()
}

// probe uses the token that it has, and logs in where there is none or it is
// refused. It also says whether the token was good.
func (o *ticketOffice) probe() (result string, kept bool) {
	o.t.Helper()
	if o.bearer != "" && demoResult(o.get(o.bearer)) == "valid" {
		return "valid", true
	}
	secrets := demoSecrets(o.t, o.demo, o.files)
	login := o.login(secrets[0], secrets[1])
	o.bearer = login.authToken()
	return demoResult(login), false
}

func TestRegeneration(t *testing.T) {
	const day = 24 * time.Hour // 96 periods
	steps := []struct {
		at     time.Duration
		result string
		kept   bool // the token, which lives for a minute
	}{
		{time.Second, "valid", false},
		{40 * time.Second, "valid", true},
		{179 * time.Second, "valid", false},
		{181 * time.Second, "login_rejected", false}, // its tokens have ended too
		{299 * time.Second, "login_rejected", false},
		{301 * time.Second, "valid", false},
		{340 * time.Second, "valid", true},
		{18*time.Minute - time.Second, "valid", false},
		{18*time.Minute + time.Second, "login_rejected", false},
		{20*time.Minute - time.Second, "login_rejected", false},
		{20*time.Minute + time.Second, "valid", false},
		{day + time.Second, "valid", false},
		{day + 4*time.Minute, "login_rejected", false},
		{day + 6*time.Minute, "valid", false},
	}
	synctest.Test(t, func(t *testing.T) {
		office := openTicketOffice(t)
		for _, s := range steps {
			office.at(s.at)
			if result, kept := office.probe(); result != s.result || kept != s.kept {
				t.Errorf("at %v: %s, token kept: %v, want %s, %v", s.at, result, kept, s.result, s.kept)
			}
		}
		if office.log.Len() != 0 {
			t.Errorf("logged: %s", &office.log)
		}
	})
}

// A client whose token a 403 ends logs in and is well again. Its token lives through
// renewals that are not decided.
func TestHarbour(t *testing.T) {
	clock := newFakeClock()
	demo := &Demo{fleet: demoFleet(clock.now())}
	target, ferries := findDemoSession(demo, "harbour", "ferries")
	_, lighthouse := findDemoSession(demo, "harbour", "lighthouse")
	target.server = target.newServer(clock.now)
	c := start(t, target.server)
	first := c.login(target.key(ferries), target.secret(ferries, 1)).authToken()
	lives := c.login(target.key(lighthouse), target.secret(lighthouse, 1)).authToken()

	clock.advance(40 * time.Second)
	if got := c.get(first); got.status != 403 || got.code() != "030001" {
		t.Errorf("after 40 s: %d, code %s, want 403 and 030001", got.status, got.code())
	}
	if got := demoResult(c.get(c.login(target.key(ferries), target.secret(ferries, 1)).authToken())); got != "valid" {
		t.Errorf("after another login: %s, want valid", got)
	}

	clock.advance(5 * time.Minute)
	if got := demoResult(c.login(target.key(lighthouse), target.secret(lighthouse, 1))); got != "auth_unavailable" {
		t.Errorf("a renewal: %s, want auth_unavailable", got)
	}
	if got := demoResult(c.get(lives)); got != "valid" {
		t.Errorf("meanwhile, the token is %s, want valid", got)
	}
}

// A client that takes the token of each answer needs one login, however short
// tokens live.
func TestExhibits(t *testing.T) {
	clock := newFakeClock()
	target, session := findDemoSession(&Demo{fleet: demoFleet(clock.now())}, "gallery", "exhibits")
	target.server = target.newServer(clock.now)
	c := start(t, target.server)
	got := c.login(target.key(session), target.secret(session, 1))
	for range 20 {
		old := got.authToken()
		if got = c.get(old); demoResult(got) != "valid" || got.authToken() == old {
			t.Fatalf("%s, with another token: %v, want valid and another", demoResult(got), got.authToken() != old)
		}
		if result := demoResult(c.get(old)); result != "unauthorized" {
			t.Errorf("the old token is %s, want unauthorized", result)
		}
		clock.advance(30 * time.Second)
	}
}

// A secret that cannot be written is said, and the next one is written.
func TestRegenerationWithoutDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		office := openTicketOffice(t)
		keys := filepath.Join(office.demo.dir, "keys")
		away := keys + "-away"
		if err := os.Rename(keys, away); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(keys, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		office.at(6 * time.Minute)
		if got := office.log.String(); !strings.Contains(got, "arena/tickets") || strings.Contains(got, "secret-2") {
			t.Errorf("logged: %q, want the session and no secret", got)
		}
		if err := os.Remove(keys); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(away, keys); err != nil {
			t.Fatal(err)
		}
		if got, _ := office.probe(); got != "login_rejected" {
			t.Errorf("without the new secret: %s, want login_rejected", got)
		}
		office.at(21 * time.Minute)
		if got, _ := office.probe(); got != "valid" {
			t.Errorf("with the next one: %s, want valid", got)
		}
	})
}

// The demo plays the story until it is closed, and leaves nothing beside the
// files.
func TestDemoRegenerates(t *testing.T) {
	demo := startDemo(t, DemoOptions{Speed: 6000})
	file := filepath.Join(demo.dir, "keys/arena-tickets.secret")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		secret, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(secret) != "demo-arena-tickets-secret-1\n" {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the secret is still the first")
		}
	}
	demo.Close()
	left, err := filepath.Glob(file + "?*")
	if err != nil || left != nil {
		t.Errorf("left behind: %s, error %v", left, err)
	}
}
