package hmpsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValidIsTheVendorsExample(t *testing.T) {
	golden, err := os.ReadFile("testdata/session.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, golden); err != nil {
		t.Fatal(err)
	}
	sim := New()
	sim.SetToken("auth-token", Valid(ExampleSession()))
	got := start(t, sim).get("auth-token")
	if got.err != nil || got.status != http.StatusOK {
		t.Fatalf("status %d, error %v, want 200", got.status, got.err)
	}
	// The text and not the values: the order of the fields is part of it.
	if diff := cmp.Diff(strings.TrimSpace(want.String()), got.body); diff != "" {
		t.Errorf("payload differs from the vendor's (-want +got):\n%s", diff)
	}
}

func TestAnswers(t *testing.T) {
	envelope := func(code, name, message, status string) string {
		return `{"code":"` + code + `","name":"` + name + `","message":"` + message + `","httpStatusCode":` + status + "}\n"
	}
	tests := []struct {
		name      string
		behaviour Behaviour
		status    int
		body      string // "": a page
	}{
		{"no roles", NoRoles(), 401, envelope("020001", "UserNotAuthorized", "User has no roles assigned", "401")},
		{"unauthorized", Unauthorized(), 401, envelope("020001", "UserNotAuthorized", "User is not authorized", "401")},
		{"unknown session", UnknownSession(), 404, envelope("040022", "AuthSessionNotFound", "Unknown session", "404")},
		{"internal error", InternalError("disk full"), 500, envelope("070000", "InternalServer", "disk full", "500")},
		{"create user session", CreateUserSession(), 500,
			envelope("070051", "CreateUserSession", "Could not create user session", "500")},
		{"auth unavailable", AuthUnavailable(), 503,
			envelope("090002", "ServiceUnavailable", "No connection to authentication server", "503")},
		{"invalid credentials", InvalidCredentials(), 401, envelope("020002", "InvalidCredentials", "Invalid credentials", "401")},
		{"invalid input", InvalidInput("bad"), 400, envelope("010001", "InputValidation", "bad", "400")},
		{"raw", Raw(418, jsonType, "{}"), 418, "{}"},
		{"endpoint missing", EndpointMissing(), 404, ""},
		{"redirect", Redirect(302, "/login"), 302, ""},
		{"bad gateway", BadGateway(), 502, ""},
		{"per method", PerMethod(AuthUnavailable(), Hang()), 503,
			envelope("090002", "ServiceUnavailable", "No connection to authentication server", "503")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New()
			sim.SetToken("token", tt.behaviour)
			got := start(t, sim).get("token")
			if got.err != nil || got.status != tt.status {
				t.Fatalf("status %d, error %v, want %d", got.status, got.err, tt.status)
			}
			wantType, wantBody := jsonType, tt.body
			if tt.body == "" {
				wantType, wantBody = htmlType, got.body
			}
			if diff := cmp.Diff(wantType, got.header.Get("Content-Type")); diff != "" {
				t.Errorf("content type (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantBody, got.body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if tt.status == http.StatusFound && got.header.Get("Location") != "/login" {
				t.Errorf("location %q, want /login", got.header.Get("Location"))
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0", 2 * time.Minute: "120", 1100 * time.Millisecond: "2"} {
		sim := New()
		sim.SetToken("token", RetryAfter(d, AuthUnavailable()))
		got := start(t, sim).get("token")
		if h := got.header.Get("Retry-After"); h != want || got.code() != "090002" {
			t.Errorf("%v: Retry-After %q with code %s, want %q with 090002", d, h, got.code(), want)
		}
	}
}

func TestSessionFields(t *testing.T) {
	tests := []struct {
		name    string
		session Session
		want    map[string]string // JSON texts; "" is absent
	}{
		{
			name: "the zero value is null where HMP is",
			want: map[string]string{
				"admin": "false", "id": "null", "lastAction": "null", "lastLoginDate": "null",
				"numLoginFailures": "null", "serviceMessages": "null", "groups": "[]", "roles": "[]", "roleIds": "[]",
			},
		},
		{
			name: "values",
			session: Session{
				LastAction: time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("CET", 3600)), NumLoginFailures: new(3),
				ServiceMessages: []string{}, Groups: []string{"staff"},
			},
			want: map[string]string{
				"lastAction": `"2026-01-01T00:00:00.000Z"`, "numLoginFailures": "3",
				"serviceMessages": "[]", "groups": `["staff"]`,
			},
		},
		{
			name: "overrides",
			session: Session{Override: map[string]string{
				"serviceMessages": "42", "roleIds": "", "zone": `"b"`, "area": `"a"`,
			}},
			want: map[string]string{"serviceMessages": "42", "roleIds": "", "zone": `"b"`, "area": `"a"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New()
			sim.SetToken("token", Valid(tt.session))
			got := start(t, sim).get("token")
			var payload struct{ Data map[string]json.RawMessage }
			if err := json.Unmarshal([]byte(got.body), &payload); err != nil {
				t.Fatalf("%v in %s", err, got.body)
			}
			for name, want := range tt.want {
				if text := string(payload.Data[name]); text != want {
					t.Errorf("%s is %s, want %s", name, text, want)
				}
			}
		})
	}
}

func TestBadPayloads(t *testing.T) {
	for name, b := range BadPayloads() {
		t.Run(name, func(t *testing.T) {
			sim := New()
			sim.SetToken("token", b)
			got := start(t, sim).get("token")
			if got.status != http.StatusOK {
				t.Fatalf("status %d, want 200", got.status)
			}
			var payload struct{ Data map[string]any }
			err := json.Unmarshal([]byte(got.body), &payload)
			if got.err == nil && err == nil && payload.Data != nil {
				t.Errorf("a good session: %s", got.body)
			}
			if cut := strings.HasPrefix(name, "cut off"); cut != (got.err != nil) {
				t.Errorf("reading the body: %v", got.err)
			}
		})
	}
}

func TestOtherRequests(t *testing.T) {
	sim := New(WithPathPrefix("/hmp/"))
	sim.SetToken("token", Valid(ExampleSession()))
	c := start(t, sim)
	if got := c.get("token"); got.status != http.StatusOK {
		t.Errorf("GET below the prefix: status %d, want 200", got.status)
	}
	tests := []struct{ method, path string }{
		{http.MethodGet, Endpoint},
		{http.MethodGet, "/hmp/"},
		{http.MethodGet, "/hmp" + Endpoint + "/"},
		{http.MethodDelete, "/hmp" + Endpoint},
		{http.MethodPut, "/hmp" + Endpoint},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://localhost"+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := c.do(req)
		if got.status != http.StatusNotFound || !strings.Contains(got.body, "Cannot "+tt.method+" "+tt.path) {
			t.Errorf("%s %s: status %d, body %q, want a page 404", tt.method, tt.path, got.status, got.body)
		}
	}
	if got := sim.Stats().Others; got != len(tests) {
		t.Errorf("others %d, want %d", got, len(tests))
	}
}
