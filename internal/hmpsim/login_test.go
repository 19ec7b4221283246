package hmpsim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLogin(t *testing.T) {
	sim := New()
	sim.AddKey("key", "secret", Valid(ExampleSession()))
	c := start(t, sim)
	first, second := c.login("key", "secret"), c.login("key", "secret")
	if first.status != http.StatusOK || first.authToken() == "" || first.authToken() == second.authToken() {
		t.Fatalf("status %d, tokens %q and %q, want 200 and two that differ",
			first.status, first.authToken(), second.authToken())
	}
	for _, r := range []reply{first, second} {
		if diff := cmp.Diff(r.body, c.get(r.authToken()).body); diff != "" {
			t.Errorf("the GET differs from its login (-login +get):\n%s", diff)
		}
	}
}

func TestLoginBodies(t *testing.T) {
	const asJSON = "application/json"
	tests := []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"good", asJSON, `{"apiKey":"key","apiSecret":"secret"}`, 200, ""},
		{"good with charset", jsonType, `{"apiKey":"key","apiSecret":"secret"}`, 200, ""},
		{"more fields", asJSON, `{"apiKey":"key","apiSecret":"secret","x":1}`, 200, ""},
		{"wrong secret", asJSON, `{"apiKey":"key","apiSecret":"Secret"}`, 401, "020002"},
		{"wrong key", asJSON, `{"apiKey":"other","apiSecret":"secret"}`, 401, "020002"},
		{"empty strings", asJSON, `{"apiKey":"","apiSecret":""}`, 401, "020002"},
		{"no key", asJSON, `{"apiSecret":"secret"}`, 400, "010001"},
		{"no secret", asJSON, `{"apiKey":"key"}`, 400, "010001"},
		{"key a number", asJSON, `{"apiKey":1,"apiSecret":"secret"}`, 400, "010001"},
		{"secret null", asJSON, `{"apiKey":"key","apiSecret":null}`, 400, "010001"},
		{"no body", asJSON, "", 400, "010001"},
		{"not an object", asJSON, `["key","secret"]`, 400, "010001"},
		{"cut off", asJSON, `{"apiKey":"key"`, 400, "010001"},
		{"not said to be JSON", "text/plain", `{"apiKey":"key","apiSecret":"secret"}`, 400, "010001"},
		{"too large", asJSON, `{"apiKey":"` + strings.Repeat("k", maxLoginBody) + `"}`, 400, "010001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New()
			sim.AddKey("key", "secret", Valid(ExampleSession()))
			got := start(t, sim).post(tt.contentType, tt.body)
			if got.err != nil || got.status != tt.status || got.code() != tt.code {
				t.Errorf("status %d, code %s, error %v, want %d, %s", got.status, got.code(), got.err, tt.status, tt.code)
			}
			rejected := 0
			if tt.status != http.StatusOK {
				rejected = 1
			}
			if stats := sim.Stats(); stats.RejectedPOSTs != rejected || stats.Logins != 1-rejected {
				t.Errorf("%d rejected, %d logins, want %d rejected of 1", stats.RejectedPOSTs, stats.Logins, rejected)
			}
		})
	}
}

// A login is answered as a GET would be, and makes no token if it fails.
func TestLoginBehaviours(t *testing.T) {
	tests := []struct {
		name      string
		behaviour Behaviour
		status    int
		code      string
	}{
		{"no roles", NoRoles(), 401, "020001"},
		{"directory away", AuthUnavailable(), 503, "090002"},
		{"no session", CreateUserSession(), 500, "070051"},
		{"POST only", PerMethod(Valid(ExampleSession()), InternalError("x")), 500, "070000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New()
			sim.AddKey("key", "secret", tt.behaviour)
			got := start(t, sim).login("key", "secret")
			if got.status != tt.status || got.code() != tt.code {
				t.Errorf("status %d, code %s, want %d, %s", got.status, got.code(), tt.status, tt.code)
			}
			if stats := sim.Stats(); stats.Logins != 0 || stats.RejectedPOSTs != 0 {
				t.Errorf("logins %d, rejected %d, want none", stats.Logins, stats.RejectedPOSTs)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	sim := New()
	sim.AddKey("key", "secret", Valid(ExampleSession()))
	sim.AddKey("other", "secret", Valid(ExampleSession()))
	c := start(t, sim)
	bearer, other := c.login("key", "secret").authToken(), c.login("other", "secret").authToken()
	steps := []struct {
		name        string
		do          func()
		old, newer  int // statuses of a login with the old and with the new secret
		token       int // status of a GET with the first token
		ignoredKeys func(string)
	}{
		{"disabled", func() { sim.DisableKey("key") }, 401, 401, 200, sim.DisableKey},
		{"regenerated", func() { sim.RegenerateKey("key", "new") }, 401, 200, 200, func(k string) { sim.RegenerateKey(k, "") }},
		{"revoked", func() { sim.RevokeTokens("key") }, 401, 200, 401, sim.RevokeTokens},
		{"added again", func() { sim.AddKey("key", "secret", NoRoles()) }, 401, 401, 401, func(string) {}},
	}
	for _, s := range steps {
		s.do()
		s.ignoredKeys("unknown")
		got := []int{c.login("key", "secret").status, c.login("key", "new").status, c.get(bearer).status}
		if diff := cmp.Diff([]int{s.old, s.newer, s.token}, got); diff != "" {
			t.Errorf("%s: login with the old secret, with the new, GET (-want +got):\n%s", s.name, diff)
		}
	}
	if got := c.get(other).status; got != http.StatusOK {
		t.Errorf("the token of another key: status %d, want 200", got)
	}
}

func TestOutage(t *testing.T) {
	sim := New()
	sim.SetToken("token", Valid(ExampleSession()))
	sim.AddKey("key", "secret", Valid(ExampleSession()))
	c := start(t, sim)
	statuses := func() []int {
		return []int{
			c.get("token").status, c.get("unknown").status,
			c.login("key", "secret").status, c.login("key", "wrong").status,
		}
	}
	sim.SetOutage(AuthUnavailable())
	if diff := cmp.Diff([]int{503, 503, 503, 503}, statuses()); diff != "" {
		t.Errorf("in the outage (-want +got):\n%s", diff)
	}
	if got := sim.Stats(); got.Logins != 0 || got.RejectedPOSTs != 0 || got.UnknownGETs != 0 {
		t.Errorf("in the outage: logins %d, rejected %d, unknown %d, want none", got.Logins, got.RejectedPOSTs, got.UnknownGETs)
	}
	sim.SetOutage(nil)
	if diff := cmp.Diff([]int{200, 401, 200, 401}, statuses()); diff != "" {
		t.Errorf("after it (-want +got):\n%s", diff)
	}
}
