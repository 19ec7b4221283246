package hmpsim

import "time"

// A demoTarget is a target of the demo's configuration.
type demoTarget struct {
	name        string
	url         string // set here: there is no HMP, else filled in when it listens
	config      []string
	configure   func(*Server)
	certificate CertificateOptions
	sessions    []demoSession

	server *Server // filled in when it listens
}

// A demoSession is a session of a demoTarget and how its token or key behaves.
type demoSession struct {
	name         string
	logsIn       bool   // it logs in with a key and secret, and has no token of its own
	result       string // of every probe; "": valid at first, then changing
	what         string
	behaviour    Behaviour     // nil: its token or key is unknown to the HMP
	regeneration *regeneration // nil: its key keeps its secret
	noFiles      bool          // what its configuration names does not exist
}

// newServer makes the target's HMP.
func (t *demoTarget) newServer(now func() time.Time) *Server {
	server := New()
	server.Now = now
	if t.configure != nil {
		t.configure(server)
	}
	for _, s := range t.sessions {
		switch {
		case s.behaviour == nil:
		case s.logsIn:
			server.AddKey(t.key(s), t.secret(s, 1), s.behaviour)
		default:
			server.SetToken(t.token(s), s.behaviour)
		}
	}
	return server
}

// demoFleet returns the demo's targets. Every result that a simulation can give
// is there from the first second; what changes begins well, and its periods
// differ so that not everything happens at once.
func demoFleet(now time.Time) []demoTarget {
	return []demoTarget{
		{
			name:     "studio",
			config:   []string{"service_message_text: true"},
			sessions: studioSessions(now),
		},
		{
			name:      "campus",
			config:    []string{"keep_alive: true"},
			configure: func(s *Server) { s.SetVersion(Version("4.1.0", "30241")) },
			sessions:  campusSessions(now),
		},
		{
			name:     "archive",
			sessions: archiveSessions(now),
		},
		{
			name:      "arena",
			config:    []string{shortLifetime},
			configure: func(s *Server) { s.Lifetime = time.Minute },
			sessions:  arenaSessions(now),
		},
		{
			name:      "gallery",
			config:    []string{shortLifetime},
			configure: func(s *Server) { s.Lifetime, s.Rotation = time.Minute, &Rotation{} },
			sessions:  gallerySessions(now),
		},
		{
			name:      "harbour",
			config:    []string{shortLifetime},
			configure: func(s *Server) { s.Unauthenticated = Forbidden() },
			sessions:  harbourSessions(now),
		},
		{
			name:      "museum",
			configure: func(s *Server) { s.SetVersion(upgraded()) },
			sessions: []demoSession{{
				name: "guides", what: "protocol from second 45 to 75 of 10 minutes: its HMP restarts with another version",
				behaviour: restarting(Valid(demoUser(now, "guides"))),
			}},
		},
		{
			name:     "unknown-host",
			url:      "https://no-such-host-.example",
			config:   []string{"# A resolver refuses the hyphen before the dot, so that no query leaves the machine."},
			sessions: []demoSession{{name: "playout", result: "dns", what: "the HMP's name does not resolve"}},
		},
		{
			name:     "switched-off",
			url:      "https://127.0.0.1:1",
			sessions: []demoSession{{name: "playout", result: "connect", what: "nothing listens on the HMP's port"}},
		},
		{
			name:        "expired-cert",
			certificate: CertificateOptions{NotAfter: now.AddDate(0, 0, -3)},
			sessions: []demoSession{{
				name: "playout", result: "tls", what: "the HMP's certificate expired three days ago",
				behaviour: Valid(demoUser(now, "playout")),
			}},
		},
	}
}

// studioSessions are about what a user sees: messages, roles, latency.
func studioSessions(now time.Time) []demoSession {
	return []demoSession{
		{
			name: "playout", result: "valid", what: "service messages appear and are resolved, over 6 minutes",
			behaviour: Timeline(
				Step{For: 90 * time.Second, Do: Valid(demoUser(now, "playout", passwordMessage))},
				Step{For: 90 * time.Second, Do: Valid(demoUser(now, "playout", passwordMessage, storageMessage))},
				Step{For: 60 * time.Second, Do: Valid(demoUser(now, "playout", storageMessage))},
				Step{For: 120 * time.Second, Do: Valid(demoUser(now, "playout"))},
			),
		},
		{
			name: "ingest", result: "valid", what: "latency swells to 1.2 s and ebbs, over 5 minutes",
			behaviour: Swell(20*time.Millisecond, 1200*time.Millisecond, 5*time.Minute, Valid(demoUser(now, "ingest"))),
		},
		{
			name: "newsroom", what: "no_roles from minute 3 to 5 of 7: its role is taken away and given back",
			behaviour: Timeline(
				Step{For: 3 * time.Minute, Do: Valid(demoUser(now, "newsroom"))},
				Step{For: 2 * time.Minute, Do: NoRoles()},
				Step{For: 2 * time.Minute, Do: Valid(demoUser(now, "newsroom"))},
			),
		},
		{
			name: "signage", what: "flaps: valid for 50 s, unauthorized for 25 s",
			behaviour: Timeline(
				Step{For: 50 * time.Second, Do: Valid(demoUser(now, "signage"))},
				Step{For: 25 * time.Second, Do: Unauthorized()},
			),
		},
		{name: "visitor", result: "no_roles", what: "the user has no role", behaviour: NoRoles()},
		{name: "retired", result: "unauthorized", what: "the token is unknown to the HMP"},
	}
}

// campusSessions are about the HMP's own troubles.
func campusSessions(now time.Time) []demoSession {
	const outage = "auth_unavailable from minute 2 to 4 of 8: the directory is away"
	return []demoSession{
		{name: "lectures", what: outage, behaviour: withOutage(Valid(demoUser(now, "lectures")))},
		{name: "library", what: outage, behaviour: withOutage(Valid(demoUser(now, "library")))},
		{name: "guests", result: "auth_unavailable", what: "its directory is away for good", behaviour: AuthUnavailable()},
		{
			name: "clinic", result: "internal_error", what: "the HMP fails internally",
			behaviour: InternalError("Unexpected error while reading the session"),
		},
		{name: "stadium", result: "timeout", what: "the HMP does not answer", behaviour: Hang()},
		{
			name: "theatre", result: "timeout", what: "the HMP begins an answer and stalls",
			behaviour: HangInBody(demoUser(now, "theatre")),
		},
	}
}

// archiveSessions are about what stands before an HMP or in its place.
func archiveSessions(now time.Time) []demoSession {
	admin := demoUser(now, "vault")
	admin.Admin, admin.Roles[0].Admin = true, true
	return []demoSession{
		{name: "vault", result: "valid", what: "an admin of a large system: answers of a megabyte", behaviour: Large(admin, 1<<20)},
		{name: "legacy", result: "endpoint_missing", what: "an HMP before 4.1", behaviour: EndpointMissing()},
		{name: "portal", result: "redirect", what: "a portal redirects to its login", behaviour: Redirect(302, "/login")},
		{name: "proxy", result: "http_error", what: "a proxy finds its HMP away", behaviour: BadGateway()},
		{name: "mirror", result: "bad_payload", what: "a page with status 200", behaviour: LoginPage()},
		{name: "tape", result: "protocol", what: "the connection is reset", behaviour: Reset()},
		{name: "lost", result: "credentials", what: "its token file does not exist", noFiles: true},
	}
}

// withOutage is b on an HMP whose directory comes and goes, for all sessions
// that have it at the same times, since all are set when the demo starts.
func withOutage(b Behaviour) Behaviour {
	return Timeline(
		Step{For: 2 * time.Minute, Do: b},
		Step{For: 2 * time.Minute, Do: AuthUnavailable()},
		Step{For: 4 * time.Minute, Do: b},
	)
}

const (
	passwordMessage = "Password change required for built-in user account (operator)"
	storageMessage  = "Storage is almost full (92 %)"
)

// demoUser is a user that is no admin, logged in two hours before the demo.
func demoUser(now time.Time, name string, messages ...string) Session {
	s := ExampleSession()
	s.Admin = false
	s.DisplayName = name
	s.Username = name
	s.Roles = []Role{{ID: "5b3f6f0c-6a0f-4f9e-9a55-0d3c1c9a7c11", Name: "Operator"}}
	s.LastLoginDate = new(now.Add(-2 * time.Hour))
	s.LastAction = new(now)
	s.NumLoginFailures = new(0)
	s.ServiceMessages = append([]string{}, messages...)
	return s
}
