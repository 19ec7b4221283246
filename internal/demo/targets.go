package demo

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// A target is a target of the configuration, and its HMP.
type target struct {
	name        string
	url         string // filled in by [Start] unless no HMP is there
	settings    string // a line of the configuration
	setUp       func(*hmpsim.Server)
	certificate hmpsim.CertificateOptions
	sessions    []session
}

// simulate makes the target's HMP.
func (t *target) simulate() *hmpsim.Server {
	hmp := hmpsim.New()
	if t.setUp != nil {
		t.setUp(hmp)
	}
	for _, s := range t.sessions {
		switch c := s.credential; {
		case c.answers == nil:
		case c.kind == "key":
			hmp.AddKey(s.token(), s.secret(1), c.answers)
		default:
			hmp.SetToken(s.token(), c.answers)
		}
	}
	return hmp
}

// A session is a session of a target.
type session struct {
	name        string
	result      string // of every probe; "" if it is valid at first and changes
	description string
	credential
}

// token returns the session's token or API key.
func (s session) token() string { return "demo-" + s.name }

// secret returns the n-th secret of the session's API key.
func (s session) secret(n int) string { return fmt.Sprintf("demo-%s-secret-%d", s.name, n) }

// A credential is what a session has, and what the HMP answers to it.
type credential struct {
	kind    string           // "token", "key", or "" for a file that does not exist
	answers hmpsim.Behaviour // nil: the HMP does not know it
}

func token(b hmpsim.Behaviour) credential { return credential{"token", b} }
func key(b hmpsim.Behaviour) credential   { return credential{"key", b} }

// shortLifetime is for HMPs whose tokens live a minute, so that one can watch renewals.
const shortLifetime = "token_lifetime: 1m"

// targets returns the targets with their sessions. The first probes have every result that an
// HMP can cause. The periods of the changes differ, so that not everything happens at once.
func targets(now time.Time) []target {
	now = now.UTC().Truncate(time.Millisecond) // as HMP writes times
	// user is no admin, and logged in two hours ago.
	user := func(name string, messages ...string) hmpsim.Session {
		s := hmpsim.ExampleSession()
		s.Admin, s.DisplayName, s.Username = false, name, name
		s.Roles = []hmpsim.Role{{ID: "5b3f6f0c-6a0f-4f9e-9a55-0d3c1c9a7c11", Name: "Operator"}}
		s.LastLoginDate, s.LastAction, s.NumLoginFailures = new(now.Add(-2*time.Hour)), new(now), new(0)
		s.ServiceMessages = append([]string{}, messages...)
		return s
	}
	valid := func(name string, messages ...string) hmpsim.Behaviour { return hmpsim.Valid(user(name, messages...)) }
	admin := user("vault")
	admin.Admin, admin.Roles[0].Admin = true, true
	const (
		password = "Password change required for built-in user account (operator)"
		storage  = "Storage is almost full (92 %)"
		outage   = "from minute 2 to 4 of 8, the HMP cannot reach its directory"
	)
	return []target{
		{name: "studio", settings: "service_message_text: true", sessions: []session{
			{"playout", "valid", "service messages appear and disappear, in 6 minutes", token(hmpsim.Timeline(
				hmpsim.Step{For: 90 * time.Second, Do: valid("playout", password)},
				hmpsim.Step{For: 90 * time.Second, Do: valid("playout", password, storage)},
				hmpsim.Step{For: 60 * time.Second, Do: valid("playout", storage)},
				hmpsim.Step{For: 120 * time.Second, Do: valid("playout")},
			))},
			{"ingest", "valid", "the latency rises to 1.2 s and falls, in 5 minutes", token(varyingDelay(valid("ingest")))},
			{"newsroom", "", "from minute 3 to 5 of 7, the user has no role",
				token(between(3*time.Minute, 5*time.Minute, 7*time.Minute, hmpsim.NoRoles(), valid("newsroom")))},
			{"signage", "", "valid for 50 s, then unauthorized for 25 s",
				token(between(50*time.Second, 75*time.Second, 75*time.Second, hmpsim.Unauthorized(), valid("signage")))},
			{"visitor", "no_roles", "the user has no role", token(hmpsim.NoRoles())},
			{"retired", "unauthorized", "the token is unknown to the HMP", token(nil)},
		}},
		{name: "campus", settings: "keep_alive: true", setUp: func(s *hmpsim.Server) { s.SetVersion(hmpsim.Version("4.1.0", "30241")) }, sessions: []session{
			{"lectures", "", outage, token(between(2*time.Minute, 4*time.Minute, 8*time.Minute, hmpsim.AuthUnavailable(), valid("lectures")))},
			{"library", "", outage, token(between(2*time.Minute, 4*time.Minute, 8*time.Minute, hmpsim.AuthUnavailable(), valid("library")))},
			{"guests", "auth_unavailable", "the HMP cannot reach its directory", token(hmpsim.AuthUnavailable())},
			{"clinic", "internal_error", "the HMP has an internal error", token(hmpsim.InternalError("Unexpected error while reading the session"))},
			{"stadium", "timeout", "the HMP does not answer", token(hmpsim.Hang())},
			{"theatre", "timeout", "the HMP begins an answer and stalls", token(hmpsim.HangInBody(user("theatre")))},
		}},
		{name: "archive", sessions: []session{
			{"vault", "valid", "the user is an admin of a large system: answers of 1 MB", token(hmpsim.Large(admin, 1<<20))},
			{"legacy", "endpoint_missing", "an HMP before 4.1", token(hmpsim.EndpointMissing())},
			{"portal", "redirect", "a portal redirects to its login", token(hmpsim.Redirect(http.StatusFound, "/login"))},
			{"proxy", "http_error", "a proxy cannot reach its HMP", token(hmpsim.BadGateway())},
			{"mirror", "bad_payload", "a web page with status 200, not a session", token(hmpsim.LoginPage())},
			{"tape", "protocol", "the connection is reset", token(hmpsim.Reset())},
			{"lost", "credentials", "its token file does not exist", credential{}},
		}},
		{name: "arena", settings: shortLifetime, setUp: func(s *hmpsim.Server) { s.Lifetime = time.Minute }, sessions: []session{
			{"scoreboard", "valid", "its token lives a minute and is renewed in time", key(valid("scoreboard"))},
			{"tickets", "", "from minute 3 to 5 of 15, only the HMP has its new secret", key(valid("tickets"))},
			{"merchandise", "login_rejected", "its secret is wrong: the exporter waits before it retries", key(hmpsim.InvalidCredentials())},
			{"volunteers", "no_roles", "the user of its key has no role: one login a minute", key(hmpsim.NoRoles())},
		}},
		{name: "gallery", settings: shortLifetime, setUp: func(s *hmpsim.Server) { s.Lifetime, s.Rotation = time.Minute, new(hmpsim.Rotation) }, sessions: []session{
			{"exhibits", "valid", "each answer has a new token, so it logs in only once", key(valid("exhibits"))},
		}},
		{name: "harbour", settings: shortLifetime, setUp: func(s *hmpsim.Server) { s.Unauthenticated = hmpsim.Forbidden() }, sessions: []session{
			{"ferries", "valid", "a 403 ends its token after 40 s: the same probe logs in", key(forbidAfter(40*time.Second, valid("ferries")))},
			{"lighthouse", "valid", "from minute 2 to 8 of 10, renewals fail, but the token lives", key(hmpsim.PerMethod(valid("lighthouse"),
				between(2*time.Minute, 8*time.Minute, 10*time.Minute, hmpsim.AuthUnavailable(), valid("lighthouse"))))},
			{"customs", "unauthorized", "the HMP answers 403 to its token", token(nil)},
		}},
		{name: "museum", setUp: func(s *hmpsim.Server) { s.SetVersion(upgrading()) }, sessions: []session{
			{"guides", "", "every 10 minutes, the HMP restarts with another version",
				token(between(restart, restart+30*time.Second, upgradePeriod, hmpsim.Reset(), valid("guides")))},
		}},
		// A resolver refuses the hyphen before the dot, so that no query leaves the machine.
		{name: "unknown-host", url: "https://no-such-host-.example", sessions: []session{
			{"playout", "dns", "the HMP's name does not resolve", token(nil)},
		}},
		{name: "switched-off", url: "https://127.0.0.1:1", sessions: []session{
			{"playout", "connect", "nothing listens on the HMP's port", token(nil)},
		}},
		{name: "expired-cert", certificate: hmpsim.CertificateOptions{NotAfter: now.AddDate(0, 0, -3)}, sessions: []session{
			{"playout", "tls", "the HMP's certificate expired three days ago", token(valid("playout"))},
		}},
	}
}

// between answers as during from one time to another of each period, and as otherwise at other
// times.
func between(from, to, period time.Duration, during, otherwise hmpsim.Behaviour) hmpsim.Behaviour {
	return hmpsim.Timeline(
		hmpsim.Step{For: from, Do: otherwise}, hmpsim.Step{For: to - from, Do: during}, hmpsim.Step{For: period - to, Do: otherwise})
}

// varyingDelay answers as b after 20 ms to 1.2 s.
func varyingDelay(b hmpsim.Behaviour) hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		phase := c.Age().Minutes() / 5
		height := (1 - math.Cos(2*math.Pi*phase)) / 2
		hmpsim.Delay(20*time.Millisecond+time.Duration(height*float64(1180*time.Millisecond)), b)(w, r, c)
	}
}

// forbidAfter answers as b, and as [hmpsim.Forbidden] if the token is older than age.
func forbidAfter(age time.Duration, b hmpsim.Behaviour) hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		if r.Method == http.MethodGet && c.Now.Sub(c.Issued) >= age {
			hmpsim.Forbidden()(w, r, c)
			return
		}
		b(w, r, c)
	}
}

// The museum's HMP is upgraded once in upgradePeriod, at restart.
const (
	upgradePeriod = 10 * time.Minute
	restart       = 45 * time.Second
)

// upgrading answers with another version after each restart.
func upgrading() hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		version, build := "4.1.0", 30241
		if upgrades := int((c.Age() + upgradePeriod - restart) / upgradePeriod); upgrades > 0 {
			version, build = "4.1.1", build+upgrades
		}
		hmpsim.Version(version, strconv.Itoa(build))(w, r, c)
	}
}
