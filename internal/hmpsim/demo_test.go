package hmpsim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func startDemo(t *testing.T, o DemoOptions) *Demo {
	t.Helper()
	demo, err := StartDemo(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(demo.Close)
	return demo
}

// Probing each session of the demo as an exporter would gives what Sessions
// promises.
func TestDemoSessions(t *testing.T) {
	demo := startDemo(t, DemoOptions{})
	ca, err := os.ReadFile(filepath.Join(demo.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	results := make(map[string]bool)
	valid := 0
	for _, s := range demo.Sessions() {
		results[s.First] = true
		if s.First == "valid" {
			valid++
		}
		t.Run(s.Target+"/"+s.Session, func(t *testing.T) {
			t.Parallel()
			if got := demoProbe(t, demo, ca, s); got != s.First {
				t.Errorf("result %s, want %s", got, s.First)
			}
			if s.Result != "" && s.Result != s.First {
				t.Errorf("at first %s, but always %s", s.First, s.Result)
			}
		})
	}
	for _, r := range []string{
		"valid", "no_roles", "unauthorized", "internal_error", "auth_unavailable", "endpoint_missing", "redirect",
		"http_error", "bad_payload", "timeout", "dns", "connect", "tls", "protocol", "login_rejected", "credentials",
	} {
		if !results[r] {
			t.Errorf("no session shows %s", r)
		}
	}
	if valid < 4 {
		t.Errorf("%d sessions are valid at first, want 4 or more", valid)
	}
}

func demoProbe(t *testing.T, demo *Demo, ca []byte, s DemoSession) string {
	timeout := time.Minute
	if s.First == "timeout" {
		timeout = time.Second
	}
	target, session := findDemoSession(demo, s.Target, s.Session)
	secrets := demoSecrets(t, demo, target.files(session))
	if secrets == nil {
		return "credentials"
	}
	c := caller{t: t, listening: &Listening{URL: target.url}, client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}}
	c.trust(ca)
	if len(secrets) == 1 {
		return demoResult(c.get(secrets[0]))
	}
	login := c.login(secrets[0], secrets[1])
	if result := demoResult(login); result != "valid" {
		return result
	}
	return demoResult(c.get(login.authToken()))
}

func findDemoSession(demo *Demo, target, session string) (*demoTarget, demoSession) {
	t := &demo.fleet[slices.IndexFunc(demo.fleet, func(t demoTarget) bool { return t.name == target })]
	return t, t.sessions[slices.IndexFunc(t.sessions, func(s demoSession) bool { return s.name == session })]
}

// demoSecrets returns what stands in the files of a session, nil where one does
// not exist.
func demoSecrets(t *testing.T, demo *Demo, files []demoFile) []string {
	t.Helper()
	var secrets []string
	for _, f := range files {
		path := filepath.Join(demo.dir, f.Path)
		secret, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
			}
		}
		secrets = append(secrets, strings.TrimSpace(string(secret)))
	}
	return secrets
}

// demoResult is the contract's table as far as the demo needs it.
func demoResult(r reply) string {
	var dns *net.DNSError
	switch {
	case errors.Is(r.err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(r.err, &dns):
		return "dns"
	case errors.Is(r.err, syscall.ECONNREFUSED):
		return "connect"
	case r.err != nil && strings.Contains(r.err.Error(), "certificate has expired"):
		return "tls"
	case r.err != nil:
		return "protocol"
	case r.status == http.StatusOK && r.authToken() != "":
		return "valid"
	case strings.Contains(r.body, "User has no roles assigned"):
		return "no_roles"
	case r.code() == "020002":
		return "login_rejected"
	}
	return map[int]string{
		200: "bad_payload", 302: "redirect", 401: "unauthorized", 403: "unauthorized", 404: "endpoint_missing",
		500: "internal_error", 502: "http_error", 503: "auth_unavailable",
	}[r.status]
}

// Within ten minutes each session that changes has shown all that it can.
// TestRegeneration is about the one with a key.
func TestDemoChanges(t *testing.T) {
	clock := newFakeClock()
	sim := New()
	sim.Now = clock.now
	seen := make(map[string]map[string]bool)
	for _, target := range demoFleet(clock.now()) {
		for _, s := range target.sessions {
			if s.result == "" && !s.logsIn {
				sim.SetToken(s.name, s.behaviour)
				seen[s.name] = make(map[string]bool)
			}
		}
	}
	c := start(t, sim)
	for range 10 * 60 / 5 {
		for name, results := range seen {
			results[demoResult(c.get(name))] = true
		}
		clock.advance(5 * time.Second)
	}
	want := map[string]map[string]bool{
		"newsroom": {"valid": true, "no_roles": true},
		"signage":  {"valid": true, "unauthorized": true},
		"lectures": {"valid": true, "auth_unavailable": true},
		"library":  {"valid": true, "auth_unavailable": true},
		"guides":   {"valid": true, "protocol": true},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("results within ten minutes (-want +got):\n%s", diff)
	}
}

// The counts are those of the status page, and two targets are no HMPs.
func TestDemoSize(t *testing.T) {
	const want = "The demo has 31 sessions on 10 targets: 8 simulated HMPs, and 2 addresses where no HMP is"
	if got := startDemo(t, DemoOptions{}).Size(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDemoConfig(t *testing.T) {
	demo := startDemo(t, DemoOptions{})
	text, err := os.ReadFile(demo.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`127\.0\.0\.1:\d{2,}`).ReplaceAllString(string(text), "127.0.0.1:PORT")
	compareGolden(t, "demo.yml", got)
}

func TestDemoStory(t *testing.T) {
	compareGolden(t, "story.txt", strings.Join(startDemo(t, DemoOptions{}).Story(), "\n")+"\n")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestDemoWithoutDirectory(t *testing.T) {
	// A file where the directory should be.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := StartDemo(file, DemoOptions{}); err == nil {
		t.Error("no error")
	}
}

func TestDemoClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newDemoClock(60)
		time.Sleep(2 * time.Second) // on a fake clock
		if d := clock.now().Sub(clock.start); d != 2*time.Minute {
			t.Errorf("%v in two seconds, want two minutes", d)
		}
		if d := clock.until(clock.start.Add(time.Hour)); d != 58*time.Second {
			t.Errorf("%v until an hour is over, want 58s", d)
		}
	})
}
