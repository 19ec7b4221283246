package hmpsim

import (
	"cmp"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Paths of HMP's calls below its base URL.
const (
	Endpoint        = "/apis/authentication/login/key"
	versionEndpoint = "/apis/system/version"
)

// A Config sets what the vendor's pages do not say. Set it before the first request.
type Config struct {
	// Now is the clock. If it is nil, the clock is [time.Now].
	Now func() time.Time
	// Lifetime is how long a token from a login or a rotation lives. 0 is 30 minutes, as
	// the vendor says. A token from [Server.SetToken] does not expire.
	Lifetime time.Duration
	// Sliding says that the use of a token starts its lifetime again.
	Sliding bool
	// Unauthenticated answers a GET whose token is missing, unknown or expired. If it is
	// nil, [Unauthorized] does. [UnknownSession] is the other likely answer.
	Unauthenticated Behaviour
	// Rotation says that the answer to a GET has another token. If it is nil, the token stays.
	Rotation *Rotation
}

// A Rotation says how a GET replaces the token that it came with.
type Rotation struct {
	// Every is the shortest time between two rotations of a token. 0 rotates at each GET.
	Every time.Duration
	// KeepOld lets the old token live on.
	KeepOld bool
}

// A Server is one simulated HMP. All methods may be called at any time.
type Server struct {
	Config

	mu       sync.Mutex // guards all below
	tokens   map[string]*token
	accounts map[string]*account // by fixed token or API key
	version  activeBehaviour
	outage   activeBehaviour // without a behaviour: none
	stats    Stats
}

// An activeBehaviour is a behaviour and when it came into force.
type activeBehaviour struct {
	behaviour Behaviour
	start     time.Time
}

// New returns a server without tokens and keys.
func New() *Server {
	return &Server{
		version:  activeBehaviour{behaviour: Version("4.1.1", "30242")},
		tokens:   make(map[string]*token),
		accounts: make(map[string]*account),
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// SetVersion sets the answer to the version call with a token that works. The default is
// version 4.1.1, build 30242.
func (s *Server) SetVersion(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = activeBehaviour{b, s.now()}
}

// SetOutage lets b answer every call, as in an outage of the directory. SetOutage(nil) ends the
// outage. During it, no use extends a token, and no login counts as rejected.
func (s *Server) SetOutage(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = activeBehaviour{b, s.now()}
}

// A decision is the behaviour that answers a request, and the account of its token or key.
type decision struct {
	activeBehaviour
	account    *account // nil if it is not known
	issued     time.Time
	issueToken func() string
}

// ServeHTTP answers the two session calls and the version call. Other requests get the answer
// of a web server that does not have the path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bearer := bearerToken(r.Header)
	// Read the body before anything waits, because only then does net/http notice that a
	// client has gone.
	l := readLogin(r)

	s.mu.Lock()
	now := s.now()
	var d decision
	switch r.Method + r.URL.Path {
	case http.MethodGet + Endpoint:
		d = s.decideGET(bearer, now)
	case http.MethodPost + Endpoint:
		d = s.decidePOST(l)
	case http.MethodGet + versionEndpoint:
		d = s.decideVersion(bearer, now)
	default:
		s.stats.Others++
		d.behaviour = EndpointMissing()
	}
	if d.account == nil {
		d.account = new(account) // nobody reads its counters
	}
	d.account.begin(r.Method)
	s.stats.LastHeader = r.Header.Clone()
	s.mu.Unlock()

	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		d.account.stats.InFlight--
	}()
	d.behaviour(w, r, Call{Now: now, Start: d.start, Token: bearer, Issued: d.issued, issueToken: d.issueToken})
}

// decideGET finds the account of a token; s.mu is held.
func (s *Server) decideGET(bearer string, now time.Time) decision {
	s.stats.GETs++
	t, known := s.tokens[bearer]
	known = known && t.alive(now)
	d := decision{activeBehaviour: s.outage}
	if known {
		d.account = t.account
	}
	switch {
	case s.outage.behaviour != nil:
	case !known:
		s.stats.UnknownGETs++
		d.behaviour = s.unauthenticated()
	default:
		if s.Sliding && !t.expires.IsZero() {
			t.expires = now.Add(s.lifetime())
		}
		d.activeBehaviour, d.issued = t.account.activeBehaviour, t.issued
		d.issueToken = func() string { return s.rotate(bearer) }
	}
	return d
}

// decidePOST checks the key and secret of a login; s.mu is held.
func (s *Server) decidePOST(l login) decision {
	s.stats.POSTs++
	a := s.accounts[l.key]
	switch {
	case s.outage.behaviour != nil:
		return decision{activeBehaviour: s.outage, account: a}
	case l == login{}:
		s.stats.RejectedPOSTs++
		return decision{activeBehaviour: activeBehaviour{behaviour: invalidInput()}}
	case a == nil || a.secret != l.secret:
		s.stats.RejectedPOSTs++
		return decision{activeBehaviour: activeBehaviour{behaviour: InvalidCredentials()}, account: a}
	}
	return decision{activeBehaviour: a.activeBehaviour, account: a, issueToken: func() string { return s.login(a) }}
}

// decideVersion answers for a token that works; s.mu is held.
func (s *Server) decideVersion(bearer string, now time.Time) decision {
	s.stats.Versions++
	if s.outage.behaviour != nil {
		return decision{activeBehaviour: s.outage}
	}
	if t, ok := s.tokens[bearer]; !ok || !t.alive(now) {
		return decision{activeBehaviour: activeBehaviour{behaviour: s.unauthenticated()}}
	}
	return decision{activeBehaviour: s.version}
}

func (s *Server) unauthenticated() Behaviour {
	if s.Unauthenticated != nil {
		return s.Unauthenticated
	}
	return Unauthorized()
}

func (s *Server) lifetime() time.Duration { return cmp.Or(s.Lifetime, 30*time.Minute) }

// bearerToken returns the token of an Authorization header, or "".
func bearerToken(h http.Header) string {
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// A login is the body of a POST: {"apiKey":"…","apiSecret":"…"}.
type login struct{ key, secret string }

// readLogin returns the zero login for a body without a key or a secret.
func readLogin(r *http.Request) login {
	var fields map[string]string
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || json.Unmarshal(body, &fields) != nil || fields["apiKey"] == "" || fields["apiSecret"] == "" {
		return login{}
	}
	return login{fields["apiKey"], fields["apiSecret"]}
}
