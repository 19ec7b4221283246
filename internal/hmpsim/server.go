package hmpsim

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Endpoint is the path of the session calls below an HMP's base URL.
const Endpoint = "/apis/authentication/login/key"

// A Server is one simulated HMP. Make one with [New]; all methods may be called
// at any time, also while it serves.
type Server struct {
	now             func() time.Time
	path            string
	lifetime        time.Duration
	sliding         bool
	rotation        *Rotation
	unauthenticated script

	mu       sync.Mutex // guards all below
	tokens   map[string]*token
	keys     map[string]*key
	accounts map[string]*account
	version  script
	outage   script // no behaviour: none
	stats    Stats
	sweepAt  int // number of tokens at which the dead ones are removed
}

// A script is a behaviour and when it came into force.
type script struct {
	behaviour Behaviour
	start     time.Time
}

// New returns a server without tokens or keys: it knows nobody.
func New(opts ...Option) *Server {
	s := &Server{
		now:             time.Now,
		path:            Endpoint,
		lifetime:        30 * time.Minute,
		unauthenticated: script{behaviour: Unauthorized()},
		version:         script{behaviour: Version("4.1.1", encode(firstBuild))},
		tokens:          make(map[string]*token),
		keys:            make(map[string]*key),
		accounts:        make(map[string]*account),
		sweepAt:         64,
	}
	for _, o := range opts {
		o(s)
	}
	s.unauthenticated.start = s.now()
	s.version.start = s.unauthenticated.start
	return s
}

// SetOutage lets b answer every call until it is called with nil, as
// when the directory is away: SetOutage(AuthUnavailable()). Meanwhile tokens age
// on and are not extended, and no login counts as rejected.
func (s *Server) SetOutage(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = script{behaviour: b, start: s.now()}
}

// ServeHTTP answers the two session calls and the version call, and everything else as a web server
// answers a path that it does not have.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == s.path && r.Method == http.MethodGet:
		bearer := bearerToken(r.Header)
		s.answer(w, r, func(now time.Time) ticket { return s.admitGET(bearer, now) })
	case r.URL.Path == s.path && r.Method == http.MethodPost:
		// Read before anything waits: net/http notices that a client has
		// gone only once its body has been read.
		l := parseLogin(r)
		s.answer(w, r, func(now time.Time) ticket { return s.admitPOST(l, now) })
	case r.URL.Path == s.prefix()+VersionEndpoint && r.Method == http.MethodGet:
		s.serveVersion(w, r)
	default:
		s.mu.Lock()
		s.stats.Others++
		s.mu.Unlock()
		EndpointMissing().Serve(w, r, Call{})
	}
}

// A ticket says who answers a request, and on whose account it goes.
type ticket struct {
	script
	account *account // nil: nobody's that is known
	token   string
	issued  time.Time
	handOut func() string
}

// answer lets admit decide under the lock, and serves without it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, admit func(now time.Time) ticket) {
	s.mu.Lock()
	now := s.now()
	t := admit(now)
	s.stats.LastHeader = r.Header.Clone()
	t.account.begin(r)
	s.mu.Unlock()

	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.account.end()
	}()
	t.behaviour.Serve(w, r, Call{Now: now, Start: t.start, Token: t.token, Issued: t.issued, handOut: t.handOut})
}

// admitGET finds the account of a Bearer; s.mu is held.
func (s *Server) admitGET(bearer string, now time.Time) ticket {
	s.stats.GETs++
	t, ok := s.tokens[bearer]
	known := ok && t.alive(now)
	switch {
	case s.outage.behaviour != nil && known:
		return ticket{script: s.outage, account: t.account, token: bearer}
	case s.outage.behaviour != nil:
		return ticket{script: s.outage, token: bearer}
	case !known:
		s.stats.UnknownGETs++
		return ticket{script: s.unauthenticated, token: bearer}
	}
	if s.sliding && !t.expires.IsZero() {
		t.expires = now.Add(s.lifetime)
	}
	return ticket{
		script:  t.account.script,
		account: t.account,
		token:   bearer,
		issued:  t.rotated,
		handOut: func() string { return s.rotate(bearer) },
	}
}

// bearerToken returns the token of an Authorization header, or "".
func bearerToken(h http.Header) string {
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
